package dev.lory.model;

import dev.lory.kernel.Weight;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;

/** The base's weights and biases by {@link LinearSite#index}: some adapters depend on them. Filled at load, then only read. */
final class LoadedSites {
    private final Map<Integer, Weight> weights = new HashMap<>();
    private final Map<Integer, float[]> biases = new HashMap<>();

    void put(LinearSite site, Weight weight) {
        weights.put(site.index(), weight);
    }

    void putBias(LinearSite site, float[] bias) {
        biases.put(site.index(), bias);
    }

    Weight weight(LinearSite site) {
        return Objects.requireNonNull(weights.get(site.index()), site.path());
    }

    float[] bias(LinearSite site) {
        return biases.getOrDefault(site.index(), new float[0]).clone();
    }
}
