package dev.lory.kernel.cpu;

import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/** What is done to one row, or a run of elements, between the matrix products; the same for both kinds of kernels. */
final class VectorRows {
    private static final float ROUND = 12582912f;
    private static final int ROUND_BITS = 0x4B400000;
    private static final float MAX_HALF = 65504;
    /** Four lanes have no vector of as many bytes. */
    private static final boolean NARROWS = Lanes.COUNT >= 8;

    private static final VectorSpecies<Byte> BYTES =
            VectorSpecies.of(byte.class, VectorShape.forBitSize(Math.max(64, 8 * Lanes.COUNT)));

    private VectorRows() {}

    static void rmsNorm(long x, long weight, float eps, long y, int cols, long scratch) {
        float inverse = inverseDeviation(squares(x, 0, cols, scratch), cols, eps);
        int bound = Lanes.F.loopBound(cols);
        for (int i = 0; i < bound; i += Lanes.COUNT) {
            Lanes.store(
                    Lanes.floats(x + 4L * i).mul(Lanes.broadcast(inverse)).mul(Lanes.floats(weight + 4L * i)),
                    y + 4L * i);
        }
        for (int i = bound; i < cols; i++) {
            Memory.setFloat(y + 4L * i, Memory.getFloat(x + 4L * i) * inverse * Memory.getFloat(weight + 4L * i));
        }
    }

    /** Mean and variance in two passes: their difference of squares would lose digits. */
    static void layerNorm(long x, long weight, long bias, float eps, long y, int cols, long scratch) {
        float mean = sum(x, cols, scratch) / cols;
        float inverse = inverseDeviation(squares(x, mean, cols, scratch), cols, eps);
        int bound = Lanes.F.loopBound(cols);
        for (int i = 0; i < bound; i += Lanes.COUNT) {
            FloatVector v = Lanes.floats(x + 4L * i)
                    .sub(Lanes.broadcast(mean))
                    .mul(Lanes.broadcast(inverse))
                    .mul(Lanes.floats(weight + 4L * i));
            Lanes.store(v.add(Lanes.floats(bias + 4L * i)), y + 4L * i);
        }
        for (int i = bound; i < cols; i++) {
            float v = (Memory.getFloat(x + 4L * i) - mean) * inverse * Memory.getFloat(weight + 4L * i);
            Memory.setFloat(y + 4L * i, v + Memory.getFloat(bias + 4L * i));
        }
    }

    private static float inverseDeviation(float squares, int cols, float eps) {
        return (float) (1 / Math.sqrt((double) squares / cols + eps));
    }

    private static float sum(long x, int cols, long scratch) {
        int bound = Lanes.F.loopBound(cols);
        FloatVector values = FloatVector.zero(Lanes.F);
        for (int i = 0; i < bound; i += Lanes.COUNT) {
            values = values.add(Lanes.floats(x + 4L * i));
        }
        float sum = Lanes.sum(values, scratch);
        for (int i = bound; i < cols; i++) {
            sum += Memory.getFloat(x + 4L * i);
        }
        return sum;
    }

    /** Of the distances from the mean. */
    private static float squares(long x, float mean, int cols, long scratch) {
        int bound = Lanes.F.loopBound(cols);
        FloatVector squares = FloatVector.zero(Lanes.F);
        for (int i = 0; i < bound; i += Lanes.COUNT) {
            FloatVector v = Lanes.floats(x + 4L * i).sub(Lanes.broadcast(mean));
            squares = v.fma(v, squares);
        }
        float sum = Lanes.sum(squares, scratch);
        for (int i = bound; i < cols; i++) {
            float v = Memory.getFloat(x + 4L * i) - mean;
            sum += v * v;
        }
        return sum;
    }

    static void add(long x, long y, int count) {
        int bound = Lanes.F.loopBound(count);
        for (int i = 0; i < bound; i += Lanes.COUNT) {
            Lanes.store(Lanes.floats(y + 4L * i).add(Lanes.floats(x + 4L * i)), y + 4L * i);
        }
        for (int i = bound; i < count; i++) {
            Memory.setFloat(y + 4L * i, Memory.getFloat(y + 4L * i) + Memory.getFloat(x + 4L * i));
        }
    }

    /** {@code y += factor · x}. */
    static void addScaled(float factor, long x, long y, int count) {
        int bound = Lanes.F.loopBound(count);
        for (int i = 0; i < bound; i += Lanes.COUNT) {
            Lanes.store(
                    Lanes.floats(y + 4L * i).add(Lanes.floats(x + 4L * i).mul(Lanes.broadcast(factor))), y + 4L * i);
        }
        for (int i = bound; i < count; i++) {
            Memory.setFloat(y + 4L * i, Memory.getFloat(y + 4L * i) + Memory.getFloat(x + 4L * i) * factor);
        }
    }

    static void multiply(long x, long y, int count) {
        int bound = Lanes.F.loopBound(count);
        for (int i = 0; i < bound; i += Lanes.COUNT) {
            Lanes.store(Lanes.floats(y + 4L * i).mul(Lanes.floats(x + 4L * i)), y + 4L * i);
        }
        for (int i = bound; i < count; i++) {
            Memory.setFloat(y + 4L * i, Memory.getFloat(y + 4L * i) * Memory.getFloat(x + 4L * i));
        }
    }

    static void scale(float factor, long y, int count) {
        int bound = Lanes.F.loopBound(count);
        for (int i = 0; i < bound; i += Lanes.COUNT) {
            Lanes.store(Lanes.floats(y + 4L * i).mul(Lanes.broadcast(factor)), y + 4L * i);
        }
        for (int i = bound; i < count; i++) {
            Memory.setFloat(y + 4L * i, Memory.getFloat(y + 4L * i) * factor);
        }
    }

    /** Rotates the heads of one row; cos and sin of its position, {@code half} each. */
    static void rope(long x, int cols, int headDim, long cos, long sin, int half) {
        int bound = Lanes.F.loopBound(half);
        for (int head = 0; head < cols; head += headDim) {
            long a = x + 4L * head;
            long b = a + 4L * half;
            for (int i = 0; i < bound; i += Lanes.COUNT) {
                FloatVector c = Lanes.floats(cos + 4L * i);
                FloatVector s = Lanes.floats(sin + 4L * i);
                FloatVector first = Lanes.floats(a + 4L * i);
                FloatVector second = Lanes.floats(b + 4L * i);
                Lanes.store(first.mul(c).sub(second.mul(s)), a + 4L * i);
                Lanes.store(second.mul(c).add(first.mul(s)), b + 4L * i);
            }
            for (int i = bound; i < half; i++) {
                float c = Memory.getFloat(cos + 4L * i);
                float s = Memory.getFloat(sin + 4L * i);
                float first = Memory.getFloat(a + 4L * i);
                float second = Memory.getFloat(b + 4L * i);
                Memory.setFloat(a + 4L * i, first * c - second * s);
                Memory.setFloat(b + 4L * i, second * c + first * s);
            }
        }
    }

    /** One row of keys, {@code step} bytes apart, and one of values, as halves; beyond ±65504 as those bounds. */
    static void storeHalves(long x, int cols, long to, int step) {
        for (int i = 0; i < cols; i++) {
            float v = Math.clamp(Memory.getFloat(x + 4L * i), -MAX_HALF, MAX_HALF);
            Memory.setShort(to + (long) i * step, Float.floatToFloat16(v));
        }
    }

    /** Quantises row {@code row} of x: round half to even of x · 127 / max|x|, block by block. */
    static void quantise(Quantised q, long x, int row) {
        int blocks = q.cols / 32;
        for (int b = 0; b < blocks; b++) {
            long in = x + 4L * ((long) row * q.cols + b * 32L);
            long element = (long) row * q.cols + b * 32L;
            long at = 4L * ((long) row * blocks + b);
            float max = largest(in);
            float scale = max / 127f;
            float factor = max == 0 ? 0 : 127f / max;
            int first = round(in, factor, q.x + element);
            int sum = first + round(in + 16 * 4, factor, q.x + element + 16);
            Memory.setFloat(q.scales + at, scale);
            Memory.setInt(q.sums + 2 * at, sum);
            Memory.setInt(q.sums + 2 * at + 4, first);
            Memory.setFloat(q.scaledSums + at, scale * sum);
            if (q.forVectors()) {
                spread(q.x + element, q.pairs + 2 * element, q.floats + 4 * element);
            }
        }
    }

    private static float largest(long x) {
        FloatVector max = Lanes.floats(x).abs();
        for (int i = Lanes.COUNT; i < 32; i += Lanes.COUNT) {
            max = max.max(Lanes.floats(x + 4L * i).abs());
        }
        return max.reduceLanes(VectorOperators.MAX);
    }

    /** Rounds 16, and returns their sum. */
    private static int round(long x, float factor, long to) {
        IntVector sum = IntVector.zero(Lanes.I);
        for (int i = 0; i < 16; i += Lanes.COUNT) {
            IntVector v = Lanes.floats(x + 4L * i)
                    .mul(Lanes.broadcast(factor))
                    .add(Lanes.broadcast(ROUND))
                    .reinterpretAsInts()
                    .sub(Lanes.broadcast(ROUND_BITS));
            sum = sum.add(v);
            if (NARROWS) {
                ((ByteVector) v.convertShape(VectorOperators.I2B, BYTES, 0))
                        .intoMemorySegment(Memory.ALL, to + i, Lanes.LE);
            } else {
                for (int lane = 0; lane < Lanes.COUNT; lane++) {
                    Memory.setByte(to + i + lane, (byte) v.lane(lane));
                }
            }
        }
        return sum.reduceLanes(VectorOperators.ADD);
    }

    private static void spread(long bytes, long pairs, long floats) {
        for (int i = 0; i < 32; i += 4) {
            int k = Memory.getInt(bytes + i);
            Memory.setInt(pairs + 2L * i, (byte) k & 0xffff | (byte) (k >> 16) << 16);
            Memory.setInt(pairs + 2L * i + 4, (byte) (k >> 8) & 0xffff | k >> 24 << 16);
            Memory.setFloat(floats + 4L * i, (byte) k);
            Memory.setFloat(floats + 4L * i + 4, (byte) (k >> 8));
            Memory.setFloat(floats + 4L * i + 8, (byte) (k >> 16));
            Memory.setFloat(floats + 4L * i + 12, k >> 24);
        }
    }
}
