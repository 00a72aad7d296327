package dev.lory.adapter;

import dev.lory.kernel.LoraFactors;
import dev.lory.model.LinearSite;
import java.util.List;
import java.util.Map;

/**
 * A LoRA adapter on its device: for each site A {@code [r, in]}, B {@code [out, r]} and the scale of their product, with a gain if it is
 * a DoRA adapter; or a weight that stands in for the base's.
 *
 * @param digest SHA-256 of its files, in hex: see {@link PeftFolder}
 * @param rank the largest of any site
 * @param targetModules last parts of the paths of the modules it changes
 * @param exclusive the field of adapter_config.json for which it can only run alone and with weight 1; empty if it can be summed
 * @param factors by {@link LinearSite#index}
 */
public record LoraWeights(
        String digest,
        int rank,
        long bytes,
        List<String> targetModules,
        String exclusive,
        Map<Integer, LoraFactors> factors)
        implements AdapterWeights {
    public LoraWeights {
        targetModules = List.copyOf(targetModules);
        factors = Map.copyOf(factors);
    }

    @Override
    public String aloneBecause() {
        return exclusive.isEmpty() ? "" : "its configuration has " + exclusive;
    }

    @Override
    public List<LoraWeights> parts() {
        return List.of(this);
    }

    @Override
    public void close() {
        factors.values().forEach(LoraFactors::close);
    }
}
