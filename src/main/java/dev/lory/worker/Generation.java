package dev.lory.worker;

import dev.lory.xlora.XLoraScalings;
import java.time.Duration;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;

/**
 * A sequence being generated. {@link #hasNext} and {@link #next} wait for the next event and belong to one thread; the last event is
 * {@link GenerationEvent.Finished} unless the generation was closed before. A failure is thrown from either as a
 * {@link dev.lory.error.ServiceException}.
 */
public interface Generation extends Iterator<GenerationEvent>, AutoCloseable {
    /** The prompt as the model sees it. */
    List<Integer> promptTokenIds();

    /** What was computed for it so far; nothing while it waits. Any thread may call. */
    GenerationEvent.Usage usage();

    /** What an X-LoRA's adapters counted, once it has ended; empty if that was not asked for. */
    default Optional<XLoraScalings> scalings() {
        return Optional.empty();
    }

    /** How long it waited until its prompt was being computed, or has waited until now; also for its adapters. Any thread may call. */
    Duration queued();

    /** Cancels what is not finished: the engine stops computing it and a waiting {@link #hasNext} answers false. Any thread may call. */
    @Override
    void close();
}
