package dev.lory.worker;

import dev.lory.sampling.SamplingParams;
import java.util.List;

/**
 * One sequence to generate.
 *
 * @param id for the log
 * @param adapters the set for this sequence, summed unmerged, or one X-LoRA; empty = the base model
 * @param xlora of use with an X-LoRA only
 */
public record GenerationRequest(
        String id, Prompt prompt, List<WeightedAdapter> adapters, SamplingParams sampling, XLoraOptions xlora) {
    public GenerationRequest {
        adapters = List.copyOf(adapters);
    }

    /** Without wishes for an X-LoRA. */
    public GenerationRequest(String id, Prompt prompt, List<WeightedAdapter> adapters, SamplingParams sampling) {
        this(id, prompt, adapters, sampling, XLoraOptions.NONE);
    }

    /** An adapter and what its update is multiplied with; 1 is the adapter as trained. */
    public record WeightedAdapter(String name, float weight) {}
}
