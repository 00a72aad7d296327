package dev.lory.xlora;

import dev.lory.kernel.Backend;
import dev.lory.kernel.LoraFactors;
import dev.lory.kernel.RowGroups;
import dev.lory.tensor.Tensor;
import java.util.List;

/**
 * The network that scales adapters (arXiv:2402.07148): linears with ReLU between them, from a token's hidden state after the final norm to
 * a number for each adapter, at each site or for all sites alike. In F32. Used by one thread.
 */
public final class XLoraClassifier implements AutoCloseable {
    /**
     * One linear.
     *
     * @param weight {@code [out, in]}, loaded as a replacement
     * @param bias of each output, or none at all
     */
    record Linear(LoraFactors weight, float[] bias, int in, int out) {
        Linear {
            bias = bias.clone();
        }
    }

    private final List<Linear> linears;
    private final boolean relu;
    private final int adapters;
    /** By site of the model: which of the classifier's sites it is; -1 = none of the adapters changes it. */
    private final int[] sites;

    private final ClassifierMemory memory;
    private final RowGroups rows = new RowGroups();
    private final int[] site = new int[1];

    XLoraClassifier(List<Linear> linears, boolean relu, int adapters, int[] sites, ClassifierMemory memory) {
        this.linears = List.copyOf(linears);
        this.relu = relu;
        this.adapters = adapters;
        this.sites = sites.clone();
        this.memory = memory;
    }

    /** Rows of one call at most. */
    public static int maxRows() {
        return ClassifierMemory.MAX_ROWS;
    }

    long bytes() {
        return linears.stream().mapToLong(linear -> linear.weight().bytes()).sum();
    }

    /**
     * What the adapters count for some tokens.
     *
     * @param hidden {@code [rows, hidden]} of a step, after the final norm
     * @param tokens which rows; the first {@code count} entries
     * @return for each of them by adapter and site of the model, {@code [adapters · sites]}, as the layers use it
     */
    public float[][] gates(Tensor hidden, int[] tokens, int count, XLoraSettings[] settings) {
        float[][] scalings = classify(hidden, tokens, count);
        float[][] gates = new float[count][];
        for (int i = 0; i < count; i++) {
            Scalings.predict(scalings[i], adapters, settings[i]);
            Scalings.choose(scalings[i], adapters, settings[i]);
            gates[i] = bySite(scalings[i]);
        }
        return gates;
    }

    private float[][] classify(Tensor hidden, int[] tokens, int count) {
        Backend backend = memory.backend();
        rows.clear();
        rows.group(0);
        for (int i = 0; i < count; i++) {
            rows.add(i, 1);
        }
        Tensor x = memory.input(count, hidden.cols());
        backend.gatherRows(hidden, tokens, x);
        float[][] values = new float[count][];
        for (int l = 0; l < linears.size(); l++) {
            Linear linear = linears.get(l);
            Tensor y = memory.output(count, linear.out());
            backend.lora(new LoraFactors[][] {{linear.weight()}}, site, rows, x, new Tensor[] {y});
            boolean last = l == linears.size() - 1;
            x = last ? x : memory.input(count, linear.out());
            for (int i = 0; i < count; i++) {
                values[i] = new float[linear.out()];
                backend.download(y, i, values[i]);
                finish(values[i], linear.bias(), relu && !last);
                if (!last) {
                    backend.write(values[i], x, i);
                }
            }
        }
        return values;
    }

    private static void finish(float[] y, float[] bias, boolean relu) {
        for (int i = 0; i < y.length; i++) {
            float sum = bias.length == 0 ? y[i] : y[i] + bias[i];
            y[i] = relu ? Math.max(0, sum) : sum;
        }
    }

    /** The sites of the model each have a place, so that a linear finds its own by its number. */
    private float[] bySite(float[] scalings) {
        float[] gates = new float[adapters * sites.length];
        for (int adapter = 0; adapter < adapters; adapter++) {
            for (int s = 0; s < sites.length; s++) {
                int from = sites[s] * adapters;
                gates[adapter * sites.length + s] = from < 0 ? 0 : scalings[from + adapter];
            }
        }
        return gates;
    }

    /** Where the gates of an adapter begin in what {@link #gates} gives. */
    public int from(int adapter) {
        return adapter * sites.length;
    }

    /** Which of the classifier's sites a site of the model is; -1 = none of the adapters changes it. */
    public int place(int site) {
        return sites[site];
    }

    @Override
    public void close() {
        linears.forEach(linear -> linear.weight().close());
    }
}
