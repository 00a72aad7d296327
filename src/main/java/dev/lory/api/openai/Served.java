package dev.lory.api.openai;

import dev.lory.registry.Alias;
import dev.lory.worker.GenerationRequest.WeightedAdapter;
import dev.lory.worker.WorkerStatus;
import dev.lory.worker.WorkerStatus.AdapterStatus;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * What requests may name.
 *
 * @param model the base model
 * @param adapters names by the alphabet; llama.cpp's ids are places in this list
 * @param generations names by the digest of their content
 * @param active the set for requests that name the base model and no adapters
 * @param aliases by name
 * @param maxLogprobs that a request may ask for; -1 = the whole vocabulary
 */
public record Served(
        String model,
        List<String> adapters,
        Map<String, String> generations,
        List<WeightedAdapter> active,
        Map<String, Alias> aliases,
        int maxLogprobs) {
    public Served {
        adapters = List.copyOf(adapters);
        generations = Map.copyOf(generations);
        active = List.copyOf(active);
        aliases = Map.copyOf(aliases);
    }

    /** What a worker has, with {@code active} as the default set and without aliases. */
    public static Served of(WorkerStatus status, List<WeightedAdapter> active, int maxLogprobs) {
        return new Served(status.model().name(), names(status), generations(status), active, Map.of(), maxLogprobs);
    }

    /** Those that requests may name, by the alphabet, also while they are being loaded. */
    public static List<String> names(WorkerStatus status) {
        return status.adapters().stream()
                .filter(adapter -> adapter.state() != AdapterStatus.State.UNLOADED)
                .map(AdapterStatus::name)
                .sorted()
                .toList();
    }

    /** Of adapters with the same content the first by name. */
    private static Map<String, String> generations(WorkerStatus status) {
        return status.adapters().stream()
                .filter(adapter -> !adapter.digest().isEmpty())
                .sorted(Comparator.comparing(AdapterStatus::name))
                .collect(Collectors.toMap(AdapterStatus::digest, AdapterStatus::name, (first, next) -> first));
    }

    /** The same with aliases. */
    Served with(Map<String, Alias> named) {
        return new Served(model, adapters, generations, active, named, maxLogprobs);
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
