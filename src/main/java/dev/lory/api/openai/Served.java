package dev.lory.api.openai;

import dev.lory.worker.GenerationRequest.WeightedAdapter;
import dev.lory.worker.WorkerStatus;
import dev.lory.worker.WorkerStatus.AdapterStatus;
import java.util.List;

/**
 * What requests may name.
 *
 * @param model the base model
 * @param adapters by name, in the order in which they were registered
 * @param active the set for requests that name the base model and no adapters
 * @param maxLogprobs that a request may ask for; -1 = the whole vocabulary
 */
public record Served(String model, List<String> adapters, List<WeightedAdapter> active, int maxLogprobs) {
    public Served {
        adapters = List.copyOf(adapters);
        active = List.copyOf(active);
    }

    /** What a worker has, with {@code active} as the default set. */
    public static Served of(WorkerStatus status, List<WeightedAdapter> active, int maxLogprobs) {
        return new Served(
                status.model().name(),
                status.adapters().stream().map(AdapterStatus::name).toList(),
                active,
                maxLogprobs);
    }
}
