package dev.lory.kernel;

import dev.lory.tensor.DType;
import dev.lory.tensor.Tensor;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntUnaryOperator;
import java.util.stream.IntStream;

/**
 * Plain loops with double accumulators over weights decoded at load: the oracle of every backend test, and what
 * {@code --kernels reference} runs. Needs four bytes for each weight.
 */
public final class ReferenceBackend implements Backend {
    private final Arena arena = Arena.ofShared();

    private record Matrix(int rows, int cols, DType dtype, FloatRows values) implements Weight {
        static Matrix of(Tensor tensor) {
            return new Matrix(tensor.rows(), tensor.cols(), tensor.dtype(), new FloatRows(tensor));
        }

        @Override
        public long bytes() {
            return 4L * rows * cols;
        }
    }

    private record Cache(int blocks, int blockSize, int width, List<FloatRows> keys, List<FloatRows> values)
            implements KvCache {}

    /** A decoded matrix on the heap. */
    private static final class FloatRows {
        final float[][] rows;

        FloatRows(Tensor tensor) {
            rows = new float[tensor.rows()][tensor.cols()];
            IntStream.range(0, rows.length).parallel().forEach(r -> tensor.decodeRow(r, rows[r]));
        }

        FloatRows(int count, int cols) {
            rows = new float[count][cols];
        }
    }

    @Override
    public String description() {
        return "reference";
    }

    @Override
    public long freeBytes() {
        Runtime heap = Runtime.getRuntime();
        return heap.maxMemory() - (heap.totalMemory() - heap.freeMemory());
    }

    /** Not of interest: this one is not about speed. */
    @Override
    public Peak peak() {
        return Peak.UNKNOWN;
    }

    @Override
    public long weightBytes(DType dtype, int rows, int cols) {
        return 4L * rows * cols;
    }

    @Override
    public long kvBlockBytes(int layers, int blockSize, int width) {
        return 8L * layers * blockSize * width;
    }

    @Override
    public Weight load(Tensor weight) {
        return Matrix.of(weight);
    }

    @Override
    public LoraFactors loadLora(Tensor a, Tensor b, float scale) {
        return new ReferenceUpdate.LowRank(a, b, scale);
    }

    @Override
    public LoraFactors loadDora(Tensor a, Tensor b, float scale, Tensor gain) {
        return new ReferenceUpdate.LowRank(a, b, scale, gain.row(0));
    }

    @Override
    public LoraFactors loadReplacement(Tensor weight) {
        return new ReferenceUpdate.Replacement(weight);
    }

    @Override
    public void decodeRow(Weight weight, int row, float[] out) {
        System.arraycopy(((Matrix) weight).values.rows[row], 0, out, 0, weight.cols());
    }

    @Override
    public Tensor upload(Tensor host) {
        Tensor copy = allocate(host.rows(), host.cols());
        float[] row = new float[host.cols()];
        for (int r = 0; r < host.rows(); r++) {
            host.decodeRow(r, row);
            write(copy, r, row);
        }
        return copy;
    }

    @Override
    public Tensor allocate(int rows, int cols) {
        return Tensor.allocate(arena, DType.F32, rows, cols);
    }

    @Override
    public KvCache allocateKv(int layers, int blocks, int blockSize, int width) {
        List<FloatRows> keys = new ArrayList<>();
        List<FloatRows> values = new ArrayList<>();
        for (int layer = 0; layer < layers; layer++) {
            keys.add(new FloatRows(blocks * blockSize, width));
            values.add(new FloatRows(blocks * blockSize, width));
        }
        return new Cache(blocks, blockSize, width, keys, values);
    }

    @Override
    public void embed(Weight table, StepBatch batch, Tensor y) {
        for (int r = 0; r < batch.rows(); r++) {
            write(y, r, ((Matrix) table).values.rows[batch.token(r)]);
        }
    }

    @Override
    public void embedLora(LoraFactors[] factors, int site, StepBatch batch, Tensor y) {
        RowGroups rows = batch.adapters();
        for (int g = 0; g < rows.groups(); g++) {
            if (factors[rows.key(g)] instanceof ReferenceUpdate update) {
                for (int entry = rows.start(g); entry < rows.start(g + 1); entry++) {
                    int row = rows.row(entry);
                    update.embed(batch.token(row), rows.weight(entry, site), y, row);
                }
            }
        }
    }

    @Override
    public void gatherRows(Tensor x, int[] rows, Tensor y) {
        for (int i = 0; i < y.rows(); i++) {
            write(y, i, x.row(rows[i]));
        }
    }

    @Override
    public void rmsNorm(Tensor x, Tensor weight, float eps, Tensor y) {
        float[] w = weight.row(0);
        for (int r = 0; r < x.rows(); r++) {
            float[] v = x.row(r);
            double inverse = 1 / Math.sqrt(dot(v, v) / v.length + eps);
            for (int i = 0; i < v.length; i++) {
                v[i] = (float) (v[i] * inverse * w[i]);
            }
            write(y, r, v);
        }
    }

    @Override
    public void layerNorm(Tensor x, Tensor weight, Tensor bias, float eps, Tensor y) {
        float[] w = weight.row(0);
        float[] b = bias.row(0);
        for (int r = 0; r < x.rows(); r++) {
            float[] v = x.row(r);
            double sum = 0;
            for (float value : v) {
                sum += value;
            }
            double mean = sum / v.length;
            double squares = 0;
            for (float value : v) {
                squares += (value - mean) * (value - mean);
            }
            double inverse = 1 / Math.sqrt(squares / v.length + eps);
            for (int i = 0; i < v.length; i++) {
                v[i] = (float) ((v[i] - mean) * inverse * w[i] + b[i]);
            }
            write(y, r, v);
        }
    }

    @Override
    public void project(Weight[] weights, Tensor x, Tensor[] ys) {
        float[][] inputs = rows(x);
        double[][] transposed = inputs.length > 1 ? transposed(inputs) : new double[0][];
        for (int i = 0; i < weights.length; i++) {
            Tensor y = ys[i];
            float[][] w = ((Matrix) weights[i]).values.rows;
            IntStream.range(0, w.length).parallel().forEach(out -> {
                if (inputs.length == 1) {
                    y.set(0, out, (float) dot(w[out], inputs[0]));
                } else {
                    dots(w[out], transposed, y, out);
                }
            });
        }
    }

    /** {@link #dot} with many vectors at once: the same additions in the same order for each, in loops that vectorise. */
    private static void dots(float[] a, double[][] transposed, Tensor y, int col) {
        double[][] sums = new double[4][y.rows()];
        int whole = a.length / 4 * 4;
        for (int i = 0; i < a.length; i++) {
            double factor = a[i];
            double[] inputs = transposed[i];
            double[] sum = sums[i < whole ? i % 4 : 0];
            for (int r = 0; r < sum.length; r++) {
                sum[r] += factor * inputs[r];
            }
        }
        for (int r = 0; r < y.rows(); r++) {
            y.set(r, col, (float) (sums[0][r] + sums[1][r] + sums[2][r] + sums[3][r]));
        }
    }

    private static double[][] transposed(float[][] rows) {
        double[][] columns = new double[rows[0].length][rows.length];
        for (int r = 0; r < rows.length; r++) {
            for (int i = 0; i < columns.length; i++) {
                columns[i][r] = rows[r][i];
            }
        }
        return columns;
    }

    @Override
    public void lora(LoraFactors[][] factors, int[] sites, RowGroups rows, Tensor x, Tensor[] ys) {
        for (int i = 0; i < ys.length; i++) {
            for (int g = 0; g < rows.groups(); g++) {
                if (factors[i][rows.key(g)] instanceof ReferenceUpdate update) {
                    for (int entry = rows.start(g); entry < rows.start(g + 1); entry++) {
                        float weight = rows.weight(entry, sites[i]);
                        update.apply(x.row(rows.row(entry)), weight, ys[i], rows.row(entry));
                    }
                }
            }
        }
    }

    @Override
    public void rope(Tensor x, int headDim, Tensor cos, Tensor sin, StepBatch batch) {
        int half = cos.cols();
        for (int r = 0; r < batch.rows(); r++) {
            int angle = batch.angle(r);
            for (int head = 0; head < x.cols(); head += headDim) {
                for (int i = head; i < head + half; i++) {
                    double c = cos.get(angle, i - head);
                    double s = sin.get(angle, i - head);
                    double first = x.get(r, i);
                    double second = x.get(r, i + half);
                    x.set(r, i, (float) (first * c - second * s));
                    x.set(r, i + half, (float) (second * c + first * s));
                }
            }
        }
    }

    @Override
    public void storeKv(Tensor k, Tensor v, KvCache kv, int layer, StepBatch batch) {
        Cache cache = (Cache) kv;
        for (int r = 0; r < batch.rows(); r++) {
            k.decodeRow(r, cache.keys.get(layer).rows[batch.slot(r)]);
            v.decodeRow(r, cache.values.get(layer).rows[batch.slot(r)]);
        }
    }

    @Override
    public void attention(Tensor q, KvCache kv, int layer, AttentionShape shape, StepBatch batch, Tensor y) {
        Cache cache = (Cache) kv;
        float[][] keys = cache.keys.get(layer).rows;
        float[][] values = cache.values.get(layer).rows;
        for (int s = 0; s < batch.sequences(); s++) {
            int[] table = batch.blockTable(s);
            IntUnaryOperator slot = p -> table[p / cache.blockSize] * cache.blockSize + p % cache.blockSize;
            ReferenceAttention attention =
                    new ReferenceAttention(shape, p -> keys[slot.applyAsInt(p)], p -> values[slot.applyAsInt(p)]);
            IntStream.range(batch.start(s), batch.start(s + 1))
                    .parallel()
                    .forEach(r -> write(y, r, attention.of(q.row(r), batch.position(r))));
        }
    }

    @Override
    public void gate(Activation activation, Tensor gate, Tensor up, Tensor y) {
        for (int r = 0; r < y.rows(); r++) {
            for (int i = 0; i < y.cols(); i++) {
                y.set(r, i, (float) (activated(activation, gate.get(r, i)) * up.get(r, i)));
            }
        }
    }

    @Override
    public void activate(Activation activation, Tensor x, Tensor y) {
        for (int r = 0; r < y.rows(); r++) {
            for (int i = 0; i < y.cols(); i++) {
                y.set(r, i, (float) activated(activation, x.get(r, i)));
            }
        }
    }

    private static double activated(Activation activation, double x) {
        return switch (activation) {
            case SILU -> x / (1 + Math.exp(-x));
            case GELU -> x * NormalDistribution.cumulative(x);
            case GELU_TANH -> x / 2 * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x)));
        };
    }

    @Override
    public void clear(Tensor y) {
        y.storage().fill((byte) 0);
    }

    @Override
    public void add(Tensor x, Tensor y) {
        for (int r = 0; r < y.rows(); r++) {
            for (int i = 0; i < y.cols(); i++) {
                y.set(r, i, y.get(r, i) + x.get(r, i));
            }
        }
    }

    @Override
    public void addRow(Tensor row, Tensor y) {
        for (int r = 0; r < y.rows(); r++) {
            for (int i = 0; i < y.cols(); i++) {
                y.set(r, i, y.get(r, i) + row.get(0, i));
            }
        }
    }

    @Override
    public void scale(float factor, Tensor y) {
        for (int r = 0; r < y.rows(); r++) {
            for (int i = 0; i < y.cols(); i++) {
                y.set(r, i, factor * y.get(r, i));
            }
        }
    }

    @Override
    public void softCap(float cap, Tensor y) {
        for (int r = 0; r < y.rows(); r++) {
            for (int i = 0; i < y.cols(); i++) {
                y.set(r, i, (float) (cap * Math.tanh((double) y.get(r, i) / cap)));
            }
        }
    }

    @Override
    public void route(Tensor logits, int topK, RowGroups groups) {
        ReferenceRouter.route(rows(logits), topK, groups);
    }

    @Override
    public void gather(Tensor x, RowGroups groups, int g, Tensor y) {
        for (int i = 0; i < y.rows(); i++) {
            write(y, i, x.row(groups.row(groups.start(g) + i)));
        }
    }

    @Override
    public void scatterAdd(Tensor x, RowGroups groups, int g, Tensor y) {
        for (int i = 0; i < x.rows(); i++) {
            int row = groups.row(groups.start(g) + i);
            float weight = groups.weight(groups.start(g) + i);
            for (int col = 0; col < y.cols(); col++) {
                y.set(row, col, y.get(row, col) + weight * x.get(i, col));
            }
        }
    }

    @Override
    public void write(float[] values, Tensor y, int row) {
        write(y, row, values);
    }

    @Override
    public void download(Tensor x, int row, float[] out) {
        x.decodeRow(row, out);
    }

    @Override
    public void close() {
        arena.close();
    }

    private static float[][] rows(Tensor x) {
        float[][] rows = new float[x.rows()][];
        for (int r = 0; r < rows.length; r++) {
            rows[r] = x.row(r);
        }
        return rows;
    }

    private static void write(Tensor y, int row, float[] values) {
        for (int i = 0; i < y.cols(); i++) {
            y.set(row, i, values[i]);
        }
    }

    /** Four accumulators, so that the additions do not wait for one another. */
    static double dot(float[] a, float[] b) {
        double s0 = 0;
        double s1 = 0;
        double s2 = 0;
        double s3 = 0;
        int i = 0;
        for (; i + 3 < a.length; i += 4) {
            s0 += (double) a[i] * b[i];
            s1 += (double) a[i + 1] * b[i + 1];
            s2 += (double) a[i + 2] * b[i + 2];
            s3 += (double) a[i + 3] * b[i + 3];
        }
        for (; i < a.length; i++) {
            s0 += (double) a[i] * b[i];
        }
        return s0 + s1 + s2 + s3;
    }
}
