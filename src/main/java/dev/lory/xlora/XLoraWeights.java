package dev.lory.xlora;

import dev.lory.adapter.LoraWeights;
import java.util.List;

/**
 * An X-LoRA on its device.
 *
 * @param digest SHA-256 of the package, in hex: configuration, classifier, ordering, and the digests of its adapters in order
 * @param experts its adapters, by class of the classifier
 */
public record XLoraWeights(String digest, List<LoraWeights> experts, XLoraClassifier classifier, XLoraSettings settings)
        implements AutoCloseable {
    public XLoraWeights {
        experts = List.copyOf(experts);
    }

    /** The largest rank of any adapter. */
    public int rank() {
        return experts.stream().mapToInt(LoraWeights::rank).max().orElse(0);
    }

    /** Bytes it takes on the device. */
    public long bytes() {
        return classifier.bytes()
                + experts.stream().mapToLong(LoraWeights::bytes).sum();
    }

    @Override
    public void close() {
        experts.forEach(LoraWeights::close);
        classifier.close();
    }
}
