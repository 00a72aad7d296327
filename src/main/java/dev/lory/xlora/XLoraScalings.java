package dev.lory.xlora;

import dev.lory.model.LinearSite;
import java.util.List;

/**
 * What an X-LoRA's adapters counted for the tokens of a sequence, as the layers used it: after top-k, before the weight of all.
 *
 * @param adapters in the order of the classes
 * @param sites paths of the linears that they change, in definition order
 * @param values by token; {@code [sites · adapters]}, an adapter beside the next
 */
public record XLoraScalings(List<String> adapters, List<String> sites, List<float[]> values) {
    public XLoraScalings {
        adapters = List.copyOf(adapters);
        sites = List.copyOf(sites);
        values = List.copyOf(values);
    }

    /** Of each adapter, over all tokens and sites. */
    public double[] mean() {
        double[] mean = new double[adapters.size()];
        for (float[] token : values) {
            for (int i = 0; i < token.length; i++) {
                mean[i % mean.length] += token[i];
            }
        }
        for (int i = 0; i < mean.length; i++) {
            mean[i] /= Math.max(1, (double) sites.size() * values.size());
        }
        return mean;
    }

    /** In the order of the model, as paths of their sites begin. */
    public List<String> layers() {
        return sites.stream().map(LinearSite::layerOf).distinct().toList();
    }

    /**
     * Of an adapter, over the sites of each layer.
     *
     * @return {@code [layer][token]}
     */
    public double[][] byLayer(int adapter) {
        List<String> layers = layers();
        double[][] mean = new double[layers.size()][values.size()];
        int[] count = new int[layers.size()];
        for (int site = 0; site < sites.size(); site++) {
            int layer = layers.indexOf(LinearSite.layerOf(sites.get(site)));
            count[layer]++;
            for (int token = 0; token < values.size(); token++) {
                mean[layer][token] += values.get(token)[site * adapters.size() + adapter];
            }
        }
        for (int layer = 0; layer < mean.length; layer++) {
            for (int token = 0; token < values.size(); token++) {
                mean[layer][token] /= count[layer];
            }
        }
        return mean;
    }
}
