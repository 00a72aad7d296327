package dev.lory.adapter;

import dev.lory.tensor.Tensor;
import java.util.stream.IntStream;

/** Frobenius norms of low-rank updates. */
final class Norms {
    private Norms() {}

    /** That of B·A from the r × r products A·Aᵀ and Bᵀ·B: the trace of their product is its square. Time grows with r². */
    static AdapterReport.Module of(String path, Tensor a, Tensor b, float scale) {
        float[][] rows = IntStream.range(0, a.rows()).mapToObj(a::row).toArray(float[][]::new);
        float[][] columns = new float[a.rows()][b.rows()];
        for (int out = 0; out < b.rows(); out++) {
            float[] row = b.row(out);
            for (int r = 0; r < row.length; r++) {
                columns[r][out] = row[r];
            }
        }
        int rank = rows.length;
        double square = IntStream.range(0, rank * rank)
                .parallel()
                .mapToDouble(i -> dot(rows[i / rank], rows[i % rank]) * dot(columns[i / rank], columns[i % rank]))
                .sum();
        // rounding may leave a little below nothing
        double norm = Math.abs(scale) * Math.sqrt(Math.max(0, square));
        return new AdapterReport.Module(path, rank, scale, norm, length(rows), length(columns));
    }

    private static double length(float[][] vectors) {
        return Math.sqrt(IntStream.range(0, vectors.length)
                .mapToDouble(i -> dot(vectors[i], vectors[i]))
                .sum());
    }

    private static double dot(float[] a, float[] b) {
        double sum = 0;
        for (int i = 0; i < a.length; i++) {
            sum += (double) a[i] * b[i];
        }
        return sum;
    }
}
