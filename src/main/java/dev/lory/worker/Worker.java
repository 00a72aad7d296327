package dev.lory.worker;

import dev.lory.adapter.AdapterReport;
import java.util.List;

/** One base model on one device, with the adapters it has been told to keep. Any thread may call. */
public interface Worker extends AutoCloseable {
    /** What is loaded and how busy it is; cheap. */
    WorkerStatus status();

    /** Measures how fast this machine lets the model be; takes a second or two, in which nobody is served. */
    Roofline roofline();

    /** The wanted X-LoRAs that were loaded at least once; sums up what they counted, so it is not for every request. */
    List<XLoraStatus> xloras();

    /**
     * Loads the adapters that are wanted and not there, drops those no longer wanted once their last request has ended, and returns when
     * each wanted one is READY or FAILED. Idempotent; a revision older than the applied one changes nothing.
     */
    WorkerStatus apply(DesiredState desired);

    /** Everything there is to say about the PEFT folder at {@code source}; nothing of it is kept. */
    AdapterReport check(String source);

    /**
     * Starts a generation.
     *
     * @throws dev.lory.error.ServiceException {@code INVALID_REQUEST}, {@code CONTEXT_LENGTH_EXCEEDED}, {@code INVALID_TEMPLATE},
     *     {@code ADAPTER_NOT_FOUND}, {@code OVERLOADED}, {@code UNAVAILABLE}
     */
    Generation generate(GenerationRequest request);

    /** The model's tokens. */
    Vocabulary vocabulary();

    /** Ends all generations with an error and gives memory and threads back. */
    @Override
    void close();
}
