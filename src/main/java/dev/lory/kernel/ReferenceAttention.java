package dev.lory.kernel;

import java.util.function.IntFunction;
import java.util.stream.IntStream;

/**
 * Attention over one sequence, in double.
 *
 * @param keys by position, {@code kv_heads · head_dim} each, as are {@code values}
 */
record ReferenceAttention(AttentionShape shape, IntFunction<float[]> keys, IntFunction<float[]> values) {
    /** @param query {@code heads · head_dim}, at {@code position} */
    float[] of(float[] query, int position) {
        int first = Math.max(0, position + 1 - shape.window());
        float[][] seenKeys = seen(keys, first, position);
        float[][] seenValues = seen(values, first, position);
        double[] scores = new double[seenKeys.length];
        float[] out = new float[query.length];
        int dim = shape.headDim();
        for (int head = 0; head < shape.heads(); head++) {
            int shared = head / (shape.heads() / shape.kvHeads()) * dim;
            for (int p = 0; p < scores.length; p++) {
                scores[p] = score(query, head * dim, seenKeys[p], shared);
            }
            softmax(scores);
            for (int i = 0; i < dim; i++) {
                double sum = 0;
                for (int p = 0; p < scores.length; p++) {
                    sum += scores[p] * seenValues[p][shared + i];
                }
                out[head * dim + i] = (float) sum;
            }
        }
        return out;
    }

    private static float[][] seen(IntFunction<float[]> rows, int first, int last) {
        return IntStream.rangeClosed(first, last).mapToObj(rows).toArray(float[][]::new);
    }

    private double score(float[] query, int at, float[] key, int shared) {
        double product = 0;
        for (int i = 0; i < shape.headDim(); i++) {
            product += (double) query[at + i] * key[shared + i];
        }
        double score = product * shape.scale();
        return shape.softCap() > 0 ? shape.softCap() * Math.tanh(score / shape.softCap()) : score;
    }

    static void softmax(double[] scores) {
        double max = Double.NEGATIVE_INFINITY;
        for (double score : scores) {
            max = Math.max(max, score);
        }
        double sum = 0;
        for (int i = 0; i < scores.length; i++) {
            scores[i] = Math.exp(scores[i] - max);
            sum += scores[i];
        }
        for (int i = 0; i < scores.length; i++) {
            scores[i] /= sum;
        }
    }
}
