package dev.lory.adapter;

import static dev.lory.error.ErrorCode.INVALID_ADAPTER;

import dev.lory.error.ServiceException;
import dev.lory.kernel.Backend;
import dev.lory.kernel.LoraFactors;
import dev.lory.kernel.Weight;
import dev.lory.model.Decoder;
import dev.lory.model.LinearSite;
import dev.lory.tensor.DType;
import dev.lory.tensor.Tensor;
import java.lang.foreign.Arena;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/** What an adapter needs to know of the weights it is made for, as the device decodes them. */
final class BaseWeights {
    /** How far, of its length, the copy of a quantised matrix may be from it: more than any quantisation takes away. */
    private static final double QUANTISATION = 0.125;

    private final Decoder decoder;
    private final Backend backend;

    BaseWeights(Decoder decoder, Backend backend) {
        this.decoder = decoder;
        this.backend = backend;
    }

    String headPath() {
        return decoder.spec().headSite().path();
    }

    /** Whether the head is the embedding. */
    boolean isTied() {
        return decoder.spec().head().tied();
    }

    /**
     * DoRA's factors (arXiv:2402.09353): an output's gain is its magnitude by the norm of its row of {@code W + scale · B·A}, as PEFT
     * computes it, here in F64.
     *
     * @param b rows of this site
     * @param magnitude {@code [1, out]} of the whole linear
     * @throws ServiceException {@code INVALID_ADAPTER} if a norm is 0
     */
    LoraFactors loadDora(LinearSite site, Tensor a, Tensor b, float scale, Tensor magnitude) {
        Weight weight = decoder.weight(site);
        float[][] low = IntStream.range(0, a.rows()).mapToObj(a::row).toArray(float[][]::new);
        float[] magnitudes = magnitude.row(0);
        try (Arena arena = Arena.ofShared()) {
            Tensor gain = Tensor.allocate(arena, DType.F32, 1, site.rows());
            IntStream.range(0, site.rows())
                    .parallel()
                    .forEach(out -> gain.set(0, out, (float)
                            (magnitudes[site.firstRow() + out] / norm(weight, out, low, b.row(out), scale))));
            return loadFinite(site, a, b, scale, gain);
        }
    }

    /** As {@link #loadDora} for the embedding, whose outputs are columns of the table: a gain for each feature. */
    LoraFactors loadEmbeddingDora(LinearSite site, Tensor a, Tensor b, float scale, Tensor magnitude) {
        Weight table = decoder.weight(site);
        float[][] low = IntStream.range(0, a.rows()).mapToObj(a::row).toArray(float[][]::new);
        float[][] high = IntStream.range(0, b.rows()).mapToObj(b::row).toArray(float[][]::new);
        double[] squares = new double[table.cols()];
        float[] row = new float[table.cols()];
        for (int token = 0; token < table.rows(); token++) {
            backend.decodeRow(table, token, row);
            for (int i = 0; i < row.length; i++) {
                double delta = 0;
                for (int r = 0; r < low.length; r++) {
                    delta += (double) high[i][r] * low[r][token];
                }
                double value = row[i] + scale * delta;
                squares[i] += value * value;
            }
        }
        try (Arena arena = Arena.ofConfined()) {
            float[] magnitudes = magnitude.row(0);
            Tensor gain = Tensor.allocate(arena, DType.F32, 1, squares.length);
            for (int i = 0; i < squares.length; i++) {
                gain.set(0, i, (float) (magnitudes[i] / Math.sqrt(squares[i])));
            }
            return loadFinite(site, a, b, scale, gain);
        }
    }

    private LoraFactors loadFinite(LinearSite site, Tensor a, Tensor b, float scale, Tensor gain) {
        for (float value : gain.row(0)) {
            if (!Float.isFinite(value)) {
                throw new ServiceException(INVALID_ADAPTER, "use_dora: " + site.path() + " has an output of norm 0");
            }
        }
        return backend.loadDora(a, b, scale, gain);
    }

    private double norm(Weight weight, int out, float[][] a, float[] b, float scale) {
        float[] w = new float[weight.cols()];
        backend.decodeRow(weight, out, w);
        double[] delta = new double[w.length];
        for (int r = 0; r < a.length; r++) {
            for (int i = 0; i < delta.length; i++) {
                delta[i] += (double) b[r] * a[r][i];
            }
        }
        double sum = 0;
        for (int i = 0; i < w.length; i++) {
            double value = w[i] + scale * delta[i];
            sum += value * value;
        }
        return Math.sqrt(sum);
    }

    /**
     * Checks that a tensor is the base's own weight, which PEFT copies into the adapter; of a quantised base it cannot be the same to
     * the last bit.
     *
     * @throws ServiceException {@code INVALID_ADAPTER} if it is another
     */
    void requireCopy(List<LinearSite> outputs, String name, Tensor copy) {
        double distance = 0;
        double length = 0;
        boolean quantised = false;
        int row = 0;
        for (LinearSite site : outputs) {
            Weight weight = decoder.weight(site);
            quantised |= weight.dtype().blockLength() > 1;
            for (int r = 0; r < weight.rows(); r++, row++) {
                if (row >= copy.rows() || weight.cols() != copy.cols()) {
                    throw differs(name);
                }
                float[] own = new float[weight.cols()];
                backend.decodeRow(weight, r, own);
                float[] other = copy.row(row);
                for (int i = 0; i < own.length; i++) {
                    double difference = (double) own[i] - other[i];
                    distance += difference * difference;
                    length += (double) own[i] * own[i];
                }
            }
        }
        boolean same = quantised ? distance <= QUANTISATION * QUANTISATION * length : distance == 0;
        if (row != copy.rows() || !same) {
            throw differs(name);
        }
    }

    /** Whether this is the bias of a linear, to the last bit. */
    boolean hasBias(LinearSite site, Tensor bias) {
        return Arrays.equals(decoder.bias(site), bias.row(0));
    }

    private static ServiceException differs(String name) {
        return new ServiceException(INVALID_ADAPTER, "tensor " + name + " differs from the base model's");
    }
}
