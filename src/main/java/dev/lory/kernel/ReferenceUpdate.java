package dev.lory.kernel;

import dev.lory.tensor.Tensor;
import java.util.stream.IntStream;

/** What an adapter changes in a linear or in the embedding, in plain loops over floats on the heap. */
abstract sealed class ReferenceUpdate implements LoraFactors {
    /** Changes row {@code row} of the outputs of a linear with input {@code x}. */
    abstract void apply(float[] x, float weight, Tensor y, int row);

    /** Changes row {@code row} of the embeddings, that of {@code token}. */
    abstract void embed(int token, float weight, Tensor y, int row);

    @Override
    public final void close() {
        // on the heap
    }

    private static float[][] decode(Tensor tensor) {
        return IntStream.range(0, tensor.rows()).mapToObj(tensor::row).toArray(float[][]::new);
    }

    private static long heapBytes(float[][] rows) {
        return 4L * rows.length * rows[0].length;
    }

    /** {@code y = gain · (y + weight · scale · B·(A·x))}, with a gain of 1 but for DoRA. */
    static final class LowRank extends ReferenceUpdate {
        private final float[][] a;
        private final float[][] b;
        private final float scale;
        private final float[] gain;

        /** @param gain of each output, or none at all */
        LowRank(Tensor a, Tensor b, float scale, float... gain) {
            this.a = decode(a);
            this.b = decode(b);
            this.scale = scale;
            this.gain = gain.clone();
        }

        @Override
        void apply(float[] x, float weight, Tensor y, int row) {
            float[] low = new float[a.length];
            for (int j = 0; j < low.length; j++) {
                low[j] = (float) ReferenceBackend.dot(a[j], x);
            }
            expand(low, weight, y, row);
        }

        @Override
        void embed(int token, float weight, Tensor y, int row) {
            float[] low = new float[a.length];
            for (int j = 0; j < low.length; j++) {
                low[j] = a[j][token];
            }
            expand(low, weight, y, row);
        }

        private void expand(float[] low, float weight, Tensor y, int row) {
            for (int out = 0; out < y.cols(); out++) {
                double sum = y.get(row, out) + weight * scale * ReferenceBackend.dot(b[out], low);
                y.set(row, out, (float) (gain.length == 0 ? sum : gain[out] * sum));
            }
        }

        @Override
        public int rank() {
            return a.length;
        }

        @Override
        public long bytes() {
            return heapBytes(a) + heapBytes(b) + 4L * gain.length;
        }
    }

    /** {@code y = W·x}. */
    static final class Replacement extends ReferenceUpdate {
        private final float[][] w;

        Replacement(Tensor weight) {
            w = decode(weight);
        }

        @Override
        void apply(float[] x, float weight, Tensor y, int row) {
            for (int out = 0; out < y.cols(); out++) {
                y.set(row, out, (float) ReferenceBackend.dot(w[out], x));
            }
        }

        @Override
        void embed(int token, float weight, Tensor y, int row) {
            for (int i = 0; i < y.cols(); i++) {
                y.set(row, i, w[token][i]);
            }
        }

        @Override
        public int rank() {
            return 0;
        }

        @Override
        public long bytes() {
            return heapBytes(w);
        }
    }
}
