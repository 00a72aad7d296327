package dev.lory.worker;

import dev.lory.sampling.SamplingParams;
import java.util.List;

/**
 * One sequence to generate.
 *
 * @param id for the log
 * @param adapters the set for this sequence, summed unmerged; empty = the base model
 */
public record GenerationRequest(String id, Prompt prompt, List<WeightedAdapter> adapters, SamplingParams sampling) {
    public GenerationRequest {
        adapters = List.copyOf(adapters);
    }

    /** An adapter and what its update is multiplied with; 1 is the adapter as trained. */
    public record WeightedAdapter(String name, float weight) {}
}
