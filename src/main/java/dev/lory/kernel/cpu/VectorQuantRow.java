package dev.lory.kernel.cpu;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;

/** Quantised weights times one token, in 16-bit products: two int8 products fit a short, and sixteen of nibble and int8. */
final class VectorQuantRow {
    /** Blocks whose sums wait in scratch until they are scaled. */
    private static final int PART = 256;

    private static final long TOTAL = PART * 64;

    private VectorQuantRow() {}

    static void groups(PackedWeight w, Quantised x, int t, long y, int g0, int g1, long scratch) {
        Form form = w.form();
        int blocks = w.cols() / 32;
        long total = scratch + TOTAL;
        for (int g = g0; g < g1; g++) {
            for (int lane = 0; lane < 16; lane += Lanes.COUNT) {
                long group = w.address() + g * form.groupBytes(w.cols()) + 2 * lane;
                Lanes.store(FloatVector.zero(Lanes.F), total);
                for (int from = 0; from < blocks; from += PART) {
                    int count = Math.min(PART, blocks - from);
                    long block = group + (long) from * form.blockBytes;
                    long pairs = x.pairs + 2L * ((long) t * w.cols() + from * 32L);
                    if (form == Form.Q8_0) {
                        bytes(block + form.quants + 2 * lane, form.blockBytes, count, pairs, scratch);
                    } else {
                        nibbles(block + form.quants + 2 * lane, form.blockBytes, count, pairs, scratch);
                    }
                    scale(form, block, count, scratch, 64, x, 4L * ((long) t * blocks + from), total);
                }
                int out = g * 16 + lane;
                Lanes.copy(total, y + 4L * ((long) t * w.rows() + out), w.rows() - out);
            }
        }
    }

    /**
     * Adds blocks to a total, each sum of quants times the scales of block and token.
     *
     * @param block the first of the weight, at its scales
     * @param sums of products of quants, floats without a fraction, {@code stride} bytes from block to block
     * @param xs of the token's first block in {@link Quantised#scales} and its like
     */
    static void scale(Form form, long block, int blocks, long sums, long stride, Quantised x, long xs, long total) {
        if (form == Form.Q4_1) {
            scaleAndOffset(block, form.blockBytes, blocks, sums, stride, x.scales + xs, x.scaledSums + xs, total);
        } else {
            float bias = form == Form.Q4_0 ? 8 : 0;
            scale(block, form.blockBytes, blocks, sums, stride, bias, x.scales + xs, x.sums + xs, total);
        }
    }

    private static void scale(
            long block, int step, int blocks, long sums, long stride, float bias, long scales, long xSums, long total) {
        FloatVector t = Lanes.floats(total);
        for (int b = 0; b < blocks; b++) {
            FloatVector sum =
                    Lanes.floats(sums + b * stride).sub(Lanes.broadcast(bias * Memory.getInt(xSums + 4L * b)));
            t = sum.fma(Lanes.halves(block + (long) b * step).mul(Lanes.splat(scales + 4L * b)), t);
        }
        Lanes.store(t, total);
    }

    private static void scaleAndOffset(
            long block, int step, int blocks, long sums, long stride, long scales, long scaledSums, long total) {
        FloatVector t = Lanes.floats(total);
        for (int b = 0; b < blocks; b++) {
            long at = block + (long) b * step;
            FloatVector scale = Lanes.halves(at).mul(Lanes.splat(scales + 4L * b));
            t = Lanes.floats(sums + b * stride).fma(scale, t);
            t = Lanes.halves(at + 32).fma(Lanes.splat(scaledSums + 4L * b), t);
        }
        Lanes.store(t, total);
    }

    private static void nibbles(long quants, int step, int blocks, long pairs, long sums) {
        for (int b = 0; b < blocks; b++) {
            ShortVector sum = ShortVector.zero(Lanes.S);
            for (int j = 0; j < 4; j++) {
                IntVector q = Lanes.ints(quants + (long) b * step + j * 64);
                long x = pairs + b * 64L + j * 8;
                sum = sum.add(Lanes.nibbles(q, 0, x).add(Lanes.nibbles(q, 4, x + 32)))
                        .add(Lanes.nibbles(q, 8, x + 4).add(Lanes.nibbles(q, 12, x + 36)));
            }
            Lanes.storeAsFloats(Lanes.pairSums(sum), sums + b * 64L);
        }
    }

    private static void bytes(long quants, int step, int blocks, long pairs, long sums) {
        for (int b = 0; b < blocks; b++) {
            IntVector sum = IntVector.zero(Lanes.I);
            for (int j = 0; j < 8; j++) {
                // the bias off: signed bytes
                ShortVector q = Lanes.ints(quants + (long) b * step + j * 64)
                        .lanewise(VectorOperators.XOR, Lanes.broadcast(0x80808080))
                        .reinterpretAsShorts();
                long x = pairs + b * 64L + j * 8;
                ShortVector even = q.lanewise(VectorOperators.LSHL, 8).lanewise(VectorOperators.ASHR, 8);
                ShortVector odd = q.lanewise(VectorOperators.ASHR, 8);
                sum = sum.add(Lanes.pairSums(even.mul(Lanes.pair(x)).add(odd.mul(Lanes.pair(x + 4)))));
            }
            Lanes.storeAsFloats(sum, sums + b * 64L);
        }
    }
}
