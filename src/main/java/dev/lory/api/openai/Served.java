package dev.lory.api.openai;

import dev.lory.registry.Alias;
import dev.lory.worker.GenerationRequest.WeightedAdapter;
import dev.lory.worker.WorkerStatus;
import dev.lory.worker.WorkerStatus.AdapterStatus;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What requests may name.
 *
 * @param model the base model
 * @param adapters by name, in the order in which they were registered
 * @param active the set for requests that name the base model and no adapters
 * @param aliases by name
 * @param maxLogprobs that a request may ask for; -1 = the whole vocabulary
 */
public record Served(
        String model,
        List<String> adapters,
        List<WeightedAdapter> active,
        Map<String, Alias> aliases,
        int maxLogprobs) {
    public Served {
        adapters = List.copyOf(adapters);
        active = List.copyOf(active);
        aliases = Map.copyOf(aliases);
    }

    /** What a worker has, with {@code active} as the default set and without aliases. */
    public static Served of(WorkerStatus status, List<WeightedAdapter> active, int maxLogprobs) {
        return new Served(
                status.model().name(),
                status.adapters().stream().map(AdapterStatus::name).toList(),
                active,
                Map.of(),
                maxLogprobs);
    }

    /** The same with aliases. */
    Served with(Map<String, Alias> named) {
        return new Served(model, adapters, active, named, maxLogprobs);
    }

    /** What {@code model} of a request names beyond the base: {@code x}, {@code base:x} or {@code base::x}; the base itself is itself. */
    String named(String requested) {
        return requested.startsWith(model + ":")
                ? requested.substring(model.length()).replaceFirst("^::?", "")
                : requested;
    }

    /** The alias that {@code model} of a request names. */
    Optional<Alias> alias(String requested) {
        return Optional.ofNullable(aliases.get(named(requested)));
    }
}
