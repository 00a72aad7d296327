package dev.lory.xlora;

import dev.lory.model.LinearSite;
import dev.lory.xlora.XLoraStatistics.OfAdapter;
import dev.lory.xlora.XLoraStatistics.OfLayer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/** Sums up what the adapters of an X-LoRA counted. Any thread may call. */
public final class XLoraTally {
    private static final float[] BOUNDS = bounds();

    private final List<String> adapters;
    private final List<String> layers;
    /** By site: its number in the model, and its layer. */
    private final int[] numbers;

    private final int[] layerOf;
    private final int[] sitesOf;

    private long tokens;
    /** By layer and adapter. */
    private final double[][] sums;

    private final long[][] zeros;
    private final double[] entropies;
    /** By adapter and range. */
    private final long[][] histograms;

    /** Nothing yet. */
    public XLoraTally(XLoraWeights weights) {
        this(weights.names(), weights.sites());
    }

    /** Nothing yet, of adapters that change these sites. */
    XLoraTally(List<String> adapters, List<LinearSite> sites) {
        this.adapters = List.copyOf(adapters);
        layers = sites.stream().map(LinearSite::layer).distinct().toList();
        numbers = sites.stream().mapToInt(LinearSite::index).toArray();
        layerOf = sites.stream().mapToInt(site -> layers.indexOf(site.layer())).toArray();
        sitesOf = new int[layers.size()];
        for (int layer : layerOf) {
            sitesOf[layer]++;
        }
        sums = new double[layers.size()][adapters.size()];
        zeros = new long[layers.size()][adapters.size()];
        entropies = new double[layers.size()];
        histograms = new long[adapters.size()][BOUNDS.length + 1];
    }

    private static float[] bounds() {
        float[] bounds = new float[XLoraStatistics.BOUNDS.size()];
        for (int i = 0; i < bounds.length; i++) {
            bounds[i] = XLoraStatistics.BOUNDS.get(i).floatValue();
        }
        return bounds;
    }

    /** Another token. @param gates as {@link XLoraClassifier#gates} gives them */
    public synchronized void add(float[] gates) {
        tokens++;
        int sites = gates.length / adapters.size();
        for (int s = 0; s < numbers.length; s++) {
            int layer = layerOf[s];
            double all = 0;
            double weighted = 0;
            for (int a = 0; a < adapters.size(); a++) {
                float value = gates[a * sites + numbers[s]];
                sums[layer][a] += value;
                histograms[a][range(value)]++;
                if (value == 0) {
                    zeros[layer][a]++;
                } else {
                    double size = Math.abs(value);
                    all += size;
                    weighted += size * Math.log(size);
                }
            }
            entropies[layer] += all == 0 ? 0 : Math.log(all) - weighted / all;
        }
    }

    private static int range(float value) {
        int at = Arrays.binarySearch(BOUNDS, value);
        return at < 0 ? -at - 1 : at;
    }

    /** As of now. */
    public synchronized XLoraStatistics statistics() {
        List<OfAdapter> ofAdapters = new ArrayList<>();
        double values = Math.max(1, (double) tokens * numbers.length);
        for (int a = 0; a < adapters.size(); a++) {
            int adapter = a;
            double sum =
                    Arrays.stream(sums).mapToDouble(layer -> layer[adapter]).sum();
            long zero = Arrays.stream(zeros).mapToLong(layer -> layer[adapter]).sum();
            ofAdapters.add(new OfAdapter(
                    adapters.get(a),
                    sum / values,
                    zero / values,
                    Arrays.stream(histograms[a]).boxed().toList()));
        }
        List<OfLayer> ofLayers = new ArrayList<>();
        for (int l = 0; l < layers.size(); l++) {
            int layer = l;
            double ofLayer = Math.max(1, (double) tokens * sitesOf[l]);
            ofLayers.add(new OfLayer(
                    layers.get(l),
                    entropies[l] / ofLayer,
                    Arrays.stream(sums[l]).mapToObj(sum -> sum / ofLayer).toList(),
                    IntStream.range(0, adapters.size())
                            .mapToObj(a -> zeros[layer][a] / ofLayer)
                            .toList()));
        }
        return new XLoraStatistics(tokens, ofAdapters, ofLayers);
    }
}
