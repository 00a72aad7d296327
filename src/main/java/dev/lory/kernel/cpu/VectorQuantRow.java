package dev.lory.kernel.cpu;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;

/** Quantised weights times one token, in 16-bit products: two int8 products fit a short, and sixteen of nibble and int8. */
final class VectorQuantRow {
    /** Times 32 columns whose sums wait in scratch until they are scaled. */
    private static final int PART = 256;
    /** As {@link #PART}: those of one block of a K form. */
    private static final int SUPER_BLOCK = 8;
    /** In the {@link Lanes#bytes} of a pair: its low byte, the high one is 8 less. */
    static final int LOW = 24;

    private static final long TOTAL = PART * 64;

    private VectorQuantRow() {}

    static void groups(PackedWeight w, Quantised x, int t, long y, int g0, int g1, long scratch) {
        Form form = w.form();
        int blocks = w.cols() / 32;
        int part = form.ofSuperBlocks() ? SUPER_BLOCK : PART;
        long total = scratch + TOTAL;
        for (int g = g0; g < g1; g++) {
            for (int lane = 0; lane < 16; lane += Lanes.COUNT) {
                long group = w.address() + g * form.groupBytes(w.cols()) + 2 * lane;
                Lanes.store(FloatVector.zero(Lanes.F), total);
                for (int from = 0; from < blocks; from += part) {
                    int count = Math.min(part, blocks - from);
                    long block = group + (long) from * form.blockBytes;
                    long pairs = x.pairs + 2L * ((long) t * w.cols() + from * 32L);
                    multiply(form, block, block + form.quants + 2 * lane, count, pairs, scratch);
                    scale(form, block, count, scratch, 64, x, 4L * ((long) t * blocks + from), total);
                }
                int out = g * 16 + lane;
                Lanes.copy(total, y + 4L * ((long) t * w.rows() + out), w.rows() - out);
            }
        }
    }

    private static void multiply(Form form, long block, long quants, int blocks, long pairs, long sums) {
        int step = form.quantStep();
        switch (form) {
            case Q4_0, Q4_1, Q4_K -> nibbles(quants, step, blocks, pairs, sums);
            case Q8_0 -> bytes(quants, 0x80808080, step, blocks, pairs, sums);
            case Q5_1, Q5_K -> bytes(quants, 0, step, blocks, pairs, sums);
            case Q6_K -> sixBits(quants, block + Form.PAIRS, blocks, pairs, sums);
            case F32, F16, BF16 -> throw new IllegalArgumentException(form.name());
        }
    }

    /**
     * Adds blocks to a total, each sum of quants times the scales of block and token.
     *
     * @param block the first of the weight, at its scales
     * @param sums of products of quants, for Q6_K times their scales, floats without a fraction, {@code stride} bytes from block to block
     * @param xs of the token's first block in {@link Quantised#scales} and its like
     */
    static void scale(Form form, long block, int blocks, long sums, long stride, Quantised x, long xs, long total) {
        int step = form.blockBytes;
        switch (form) {
            case Q4_1, Q5_1 ->
                scaleAndOffset(block, step, blocks, sums, stride, x.scales + xs, x.scaledSums + xs, total);
            case Q4_0 -> scale(block, step, blocks, sums, stride, 8, x.scales + xs, x.sums + 2 * xs, total);
            case Q8_0 -> scale(block, step, blocks, sums, stride, 0, x.scales + xs, x.sums + 2 * xs, total);
            case Q4_K, Q5_K -> scaleByPairs(block, blocks, sums, stride, x.scales + xs, x.scaledSums + xs, total);
            // all have the d of the one block
            case Q6_K -> scale(block, 0, blocks, sums, stride, 0, x.scales + xs, x.sums + 2 * xs, total);
            case F32, F16, BF16 -> throw new IllegalArgumentException(form.name());
        }
    }

    private static void scale(
            long block, int step, int blocks, long sums, long stride, float bias, long scales, long xSums, long total) {
        FloatVector t = Lanes.floats(total);
        for (int b = 0; b < blocks; b++) {
            FloatVector sum =
                    Lanes.floats(sums + b * stride).sub(Lanes.broadcast(bias * Memory.getInt(xSums + 8L * b)));
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

    private static void scaleByPairs(
            long block, int blocks, long sums, long stride, long scales, long scaledSums, long total) {
        FloatVector t = Lanes.floats(total);
        FloatVector d = Lanes.halves(block);
        FloatVector m = Lanes.halves(block + 32);
        for (int b = 0; b < blocks; b++) {
            IntVector pairs = Lanes.shorts(block + Form.PAIRS + (long) b * Form.PAIR_BYTES);
            FloatVector sum = Lanes.floats(sums + b * stride).mul(Lanes.toFloats(Lanes.bytes(pairs, LOW)));
            t = sum.fma(d.mul(Lanes.splat(scales + 4L * b)), t);
            FloatVector minimum = m.mul(Lanes.toFloats(Lanes.bytes(pairs, LOW - 8)));
            t = minimum.fma(Lanes.splat(scaledSums + 4L * b), t);
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

    /** @param flip the bits that make signed bytes of the quants */
    private static void bytes(long quants, int flip, int step, int blocks, long pairs, long sums) {
        for (int b = 0; b < blocks; b++) {
            IntVector sum = IntVector.zero(Lanes.I);
            for (int j = 0; j < 8; j++) {
                ShortVector q = Lanes.ints(quants + (long) b * step + j * 64)
                        .lanewise(VectorOperators.XOR, Lanes.broadcast(flip))
                        .reinterpretAsShorts();
                long x = pairs + b * 64L + j * 8;
                ShortVector even = q.lanewise(VectorOperators.LSHL, 8).lanewise(VectorOperators.ASHR, 8);
                ShortVector odd = q.lanewise(VectorOperators.ASHR, 8);
                sum = sum.add(Lanes.pairSums(even.mul(Lanes.pair(x)).add(odd.mul(Lanes.pair(x + 4)))));
            }
            Lanes.storeAsFloats(sum, sums + b * 64L);
        }
    }

    /** Quants of six bits with a sign: eight products fit a short. */
    private static void sixBits(long quants, long scales, int blocks, long pairs, long sums) {
        for (int half = 0; half < 2 * blocks; half++) {
            ShortVector sum = ShortVector.zero(Lanes.S);
            for (int j = 0; j < 4; j++) {
                ShortVector q = Lanes.ints(quants + half * 256L + j * 64)
                        .lanewise(VectorOperators.XOR, Lanes.broadcast(0x80808080))
                        .reinterpretAsShorts();
                long x = pairs + half * 32L + j * 8;
                ShortVector even = q.lanewise(VectorOperators.LSHL, 8).lanewise(VectorOperators.ASHR, 8);
                ShortVector odd = q.lanewise(VectorOperators.ASHR, 8);
                sum = sum.add(even.mul(Lanes.pair(x))).add(odd.mul(Lanes.pair(x + 4)));
            }
            IntVector scale = Lanes.bytes(Lanes.shorts(scales + half / 2 * 32L), LOW - half % 2 * 8);
            long to = sums + half / 2 * 64L;
            FloatVector scaled = Lanes.toFloats(Lanes.pairSums(sum).mul(scale));
            Lanes.store(half % 2 == 0 ? scaled : scaled.add(Lanes.floats(to)), to);
        }
    }
}
