package dev.lory.xlora;

import dev.lory.adapter.AdapterWeights;
import dev.lory.adapter.LoraWeights;
import dev.lory.model.LinearSite;
import java.util.ArrayList;
import java.util.List;

/**
 * An X-LoRA on its device.
 *
 * @param digest SHA-256 of the package, in hex: configuration, classifier, ordering, and the digests of its adapters in order
 * @param names of its adapters, by class of the classifier
 * @param experts these adapters
 * @param sites the linears that they change, one for each path, in definition order
 */
public record XLoraWeights(
        String digest,
        List<String> names,
        List<LoraWeights> experts,
        List<LinearSite> sites,
        XLoraClassifier classifier,
        XLoraSettings settings)
        implements AdapterWeights {
    public XLoraWeights {
        names = List.copyOf(names);
        experts = List.copyOf(experts);
        sites = List.copyOf(sites);
    }

    @Override
    public int rank() {
        return experts.stream().mapToInt(LoraWeights::rank).max().orElse(0);
    }

    @Override
    public List<String> targetModules() {
        return experts.getFirst().targetModules();
    }

    @Override
    public String aloneBecause() {
        return "it is an X-LoRA, which weighs its own adapters";
    }

    @Override
    public List<LoraWeights> parts() {
        return experts;
    }

    @Override
    public long bytes() {
        return classifier.bytes()
                + experts.stream().mapToLong(LoraWeights::bytes).sum();
    }

    /**
     * What the adapters counted.
     *
     * @param gates of each token, as {@link XLoraClassifier#gates} gives them
     */
    public XLoraScalings scalings(List<float[]> gates) {
        List<float[]> values = new ArrayList<>();
        for (float[] token : gates) {
            float[] value = new float[sites.size() * experts.size()];
            int at = 0;
            for (LinearSite site : sites) {
                for (int adapter = 0; adapter < experts.size(); adapter++) {
                    value[at++] = token[classifier.from(adapter) + site.index()];
                }
            }
            values.add(value);
        }
        return new XLoraScalings(names, sites.stream().map(LinearSite::path).toList(), values);
    }

    @Override
    public void close() {
        experts.forEach(LoraWeights::close);
        classifier.close();
    }
}
