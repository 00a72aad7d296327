package dev.lory.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import dev.lory.tensor.Tensor;
import java.lang.foreign.Arena;
import java.util.Arrays;
import java.util.function.DoubleUnaryOperator;
import java.util.stream.IntStream;

/** What operations wrote, as numbers {@code [output][row][column]}, how far it may be off, and whether it is. */
final class Outputs {
    private Outputs() {}

    static void assertClose(double[][] actual, double[][] expected, double[][] bound) {
        for (int r = 0; r < expected.length; r++) {
            for (int i = 0; i < expected[r].length; i++) {
                double off = Math.abs(actual[r][i] - expected[r][i]);
                if (!(off <= bound[r][i])) {
                    fail("row %d, column %d: %s instead of %s, off by %s where %s is allowed"
                            .formatted(r, i, actual[r][i], expected[r][i], off, bound[r][i]));
                }
            }
        }
    }

    static void assertSameBits(double[][][] some, double[][][] all, int from) {
        for (int i = 0; i < some.length; i++) {
            assertSameBits(some[i], all[i], from);
        }
    }

    static void assertSameBits(double[][] some, double[][] all, int from) {
        for (int r = 0; r < some.length; r++) {
            if (!Arrays.equals(some[r], all[from + r])) {
                // says which element
                assertThat(some[r])
                        .as("row %d as one of %d rows", from + r, some.length)
                        .containsExactly(all[from + r]);
            }
        }
    }

    static double[][][] read(Backend from, Tensor... ys) {
        return Arrays.stream(ys).map(y -> read(from, y)).toArray(double[][][]::new);
    }

    static double[][] read(Backend from, Tensor y) {
        float[] row = new float[y.cols()];
        double[][] rows = new double[y.rows()][];
        for (int r = 0; r < rows.length; r++) {
            from.download(y, r, row);
            rows[r] = IntStream.range(0, row.length).mapToDouble(i -> row[i]).toArray();
        }
        return rows;
    }

    /** Outputs full of what no operation may leave there. */
    static Tensor blank(Backend on, int rows, int cols) {
        float[] nothing = new float[rows * cols];
        Arrays.fill(nothing, Float.NaN);
        return on.upload(Tensor.of(Arena.ofAuto(), rows, cols, nothing));
    }

    static Tensor[] blank(Backend on, int rows, Tensor[] weights) {
        return Arrays.stream(weights)
                .map(weight -> blank(on, rows, weight.rows()))
                .toArray(Tensor[]::new);
    }

    static double[][][] times(double factor, double[][][] of) {
        return map(of, v -> factor * v);
    }

    static double[][][] exactly(int rows, int cols) {
        return new double[][][] {new double[rows][cols]};
    }

    static double[][][] map(double[][][] of, DoubleUnaryOperator each) {
        return Arrays.stream(of)
                .map(matrix -> Arrays.stream(matrix)
                        .map(row -> Arrays.stream(row).map(each).toArray())
                        .toArray(double[][]::new))
                .toArray(double[][][]::new);
    }

    static double[][][] sum(double[][][] a, double[][][] b) {
        double[][][] sum = map(a, v -> v);
        for (int i = 0; i < a.length; i++) {
            for (int r = 0; r < a[i].length; r++) {
                for (int c = 0; c < a[i][r].length; c++) {
                    sum[i][r][c] += b[i][r][c];
                }
            }
        }
        return sum;
    }
}
