package dev.lory.kernel.cpu;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;

/** Attention in tiles of four (row, head) pairs or single ones, over panels of keys and values unpacked to floats. */
final class VectorAttention {
    private VectorAttention() {}

    static void rows(Attention a, long table, int kvHead, int row0, int row1, long scores, long scratch) {
        int pairs = (row1 - row0) * a.group();
        for (int first = 0; first < pairs; ) {
            int count = pairs - first >= 4 ? 4 : 1;
            tile(a, table, kvHead, row0, first, count, scores, scratch);
            first += count;
        }
    }

    private static long offset(Attention a, int kvHead, int row0, int pair) {
        int row = row0 + pair / a.group();
        int head = kvHead * a.group() + pair % a.group();
        return 4L * ((long) row * a.stride + head * a.shape.headDim());
    }

    private static int context(Attention a, int row0, int pair) {
        return Memory.getInt(a.positions + 4L * (row0 + pair / a.group())) + 1;
    }

    private static void tile(
            Attention a, long table, int kvHead, int row0, int first, int count, long scores, long scratch) {
        // positions rise with the row
        int longest = context(a, row0, first + count - 1);
        // and so do windows: the blocks before the first row's are of no use to any
        int begin = a.windowStart(context(a, row0, first)) / a.blockSize * a.blockSize;
        int dim = a.shape.headDim();
        score(a, table, kvHead, row0, first, count, begin, longest, scores, scratch);
        int padded = (longest + 15) / 16 * 16;
        long inverse = scratch + VectorKernels.SCRATCH - 64;
        for (int i = 0; i < count; i++) {
            float sum =
                    softmax(a, scores + 4L * i * a.scoreStride, begin, context(a, row0, first + i), padded, scratch);
            Memory.setFloat(inverse + 4L * i, 1 / sum);
        }
        for (int d = 0; d < dim; d += 16) {
            VectorDense.clear(scratch + VectorDense.SUMS);
            for (int p = begin; p < longest; p += a.blockSize) {
                long values = a.values + 2L * ((long) block(table, p, a) * a.blockSize * a.width + kvHead * dim + d);
                for (int part = 0; part < Math.min(a.blockSize, longest - p); part += VectorDense.PANEL) {
                    int positions = Math.min(VectorDense.PANEL, Math.min(a.blockSize, longest - p) - part);
                    VectorDense.unpack(Form.F16, values + 2L * part * a.width, 2 * a.width, positions, scratch);
                    multiply(scratch, positions, scores + 4L * (p + part), 4L * a.scoreStride, count);
                }
            }
            for (int i = 0; i < count; i++) {
                long y = a.y + offset(a, kvHead, row0, first + i) + 4L * d;
                write(scratch + VectorDense.SUMS + i * 128L, Memory.getFloat(inverse + 4L * i), y, dim - d);
            }
        }
    }

    private static int block(long table, int position, Attention a) {
        return Memory.getInt(table + 4L * (position / a.blockSize));
    }

    private static void score(
            Attention a,
            long table,
            int kvHead,
            int row0,
            int first,
            int count,
            int begin,
            int longest,
            long scores,
            long scratch) {
        int dim = a.shape.headDim();
        for (int p = begin; p < longest; p += a.blockSize) {
            for (int c = 0; c < a.chunks() && p + c * 16 < longest; c++) {
                long chunk = (long) block(table, p, a) * a.chunks() + c;
                long keys = a.keys + 32 * (chunk * a.width + (long) kvHead * dim);
                VectorDense.clear(scratch + VectorDense.SUMS);
                for (int d = 0; d < dim; d += VectorDense.PANEL) {
                    int some = Math.min(VectorDense.PANEL, dim - d);
                    VectorDense.unpack(Form.F16, keys + 32L * d, 32, some, scratch);
                    scoreTile(a, kvHead, row0, first, count, d, some, scratch);
                }
                for (int i = 0; i < count; i++) {
                    long s = scores + 4L * ((long) i * a.scoreStride + p + c * 16);
                    write(scratch + VectorDense.SUMS + i * 128L, a.shape.scale(), s, a.blockSize - c * 16);
                }
            }
        }
    }

    private static void scoreTile(
            Attention a, int kvHead, int row0, int first, int count, int d, int some, long scratch) {
        long q = a.q + 4L * d;
        if (count == 1) {
            VectorDense.one(scratch, some, q + offset(a, kvHead, row0, first), scratch + VectorDense.SUMS);
        } else {
            VectorDense.four(
                    scratch,
                    some,
                    q + offset(a, kvHead, row0, first),
                    q + offset(a, kvHead, row0, first + 1),
                    q + offset(a, kvHead, row0, first + 2),
                    q + offset(a, kvHead, row0, first + 3));
        }
    }

    private static void multiply(long panel, int columns, long x, long xRow, int count) {
        if (count == 1) {
            VectorDense.one(panel, columns, x, panel + VectorDense.SUMS);
        } else {
            VectorDense.four(panel, columns, x, x + xRow, x + 2 * xRow, x + 3 * xRow);
        }
    }

    private static void write(long sums, float factor, long to, int valid) {
        VectorDense.total(sums, factor);
        for (int lane = 0; lane < 16; lane += Lanes.COUNT) {
            Lanes.copy(sums + 4 * lane, to + 4 * lane, valid - lane);
        }
    }

    /**
     * Scores to weights e^(s - max) for the positions of the window, zero for the others of {@code begin .. padded - 1}; returns their sum.
     * Lanes are counted from the 16 positions that the window starts in, so that the sum is the same wherever the tile begins.
     */
    private static float softmax(Attention a, long s, int begin, int context, int padded, long scratch) {
        int from = a.windowStart(context);
        int aligned = from / 16 * 16;
        if (a.shape.softCap() > 0) {
            VectorCurve.SOFT_CAP.apply(
                    a.shape.softCap(), s + 4L * aligned, s + 4L * aligned, padded - aligned, scratch);
        }
        fill(s, aligned, from, Float.NEGATIVE_INFINITY);
        fill(s, context, padded, Float.NEGATIVE_INFINITY);
        float sum = exponentials(s, aligned, context, largest(s, aligned, context), scratch);
        fill(s, begin, from, 0);
        fill(s, context, padded, 0);
        return sum;
    }

    private static float largest(long s, int from, int to) {
        FloatVector max = FloatVector.broadcast(Lanes.F, Float.NEGATIVE_INFINITY);
        for (int p = from; p < to; p += Lanes.COUNT) {
            max = max.max(Lanes.floats(s + 4L * p));
        }
        return max.reduceLanes(VectorOperators.MAX);
    }

    /** In place; returns their sum. */
    private static float exponentials(long s, int from, int to, float top, long scratch) {
        FloatVector sum = FloatVector.zero(Lanes.F);
        for (int p = from; p < to; p += Lanes.COUNT) {
            FloatVector e = Exponential.of(Lanes.floats(s + 4L * p).sub(Lanes.broadcast(top)));
            Lanes.store(e, s + 4L * p);
            sum = sum.add(e);
        }
        return Lanes.sum(sum, scratch);
    }

    private static void fill(long s, int from, int to, float value) {
        for (int p = from; p < to; p++) {
            Memory.setFloat(s + 4L * p, value);
        }
    }
}
