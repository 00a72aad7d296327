package dev.lory.kernel.cpu;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

/**
 * Quantised weights times tiles of tokens: the quants of a panel are unpacked once as floats. Sums of 32 products stay below 2^24, also times
 * scales of eight bits where the quants have six, so
 * they are the exact integers that {@link VectorQuantRow} computes, and the results are the same to the last bit.
 */
final class VectorQuantTile {
    static final int TOKENS = 8;
    /** Columns of a panel. */
    private static final int PANEL = 256;

    private static final int BLOCKS = PANEL / 32;
    private static final long SUMS = PANEL * 64;
    private static final long TOTALS = SUMS + BLOCKS * TOKENS * 64;

    private VectorQuantTile() {}

    /** Tokens 0 to {@code tokens - 1}, a multiple of {@link #TOKENS}. */
    static void groups(PackedWeight w, Quantised x, long y, int g0, int g1, int tokens, long scratch) {
        int cols = w.cols();
        long totals = scratch + TOTALS;
        for (int g = g0; g < g1; g++) {
            long group = w.address() + g * w.form().groupBytes(cols);
            for (int from = 0; from < cols; from += PANEL) {
                int blocks = Math.min(PANEL, cols - from) / 32;
                long first = group + (long) from / 32 * w.form().blockBytes;
                for (int b = 0; b < blocks; b++) {
                    unpack(w.form(), first, b, scratch + b * 32L * 64);
                }
                for (int t = 0; t < tokens; t += TOKENS) {
                    panel(w, x, y, g, t, from, blocks, first, scratch, totals);
                }
            }
        }
    }

    private static void panel(
            PackedWeight w,
            Quantised x,
            long y,
            int g,
            int t,
            int from,
            int blocks,
            long first,
            long scratch,
            long totals) {
        int cols = w.cols();
        long perRow = cols / 32;
        for (int lane = 0; lane < 16; lane += Lanes.COUNT) {
            int out = g * 16 + lane;
            for (int b = 0; b < blocks; b++) {
                multiply(
                        scratch + b * 2048L + lane * 4,
                        x.floats + 4L * ((long) t * cols + from + b * 32L),
                        4L * cols,
                        scratch + SUMS + (long) b * TOKENS * 64 + lane * 4);
            }
            for (int i = 0; i < TOKENS; i++) {
                long at = y + 4L * ((long) (t + i) * w.rows() + out);
                int valid = w.rows() - out;
                if (from == 0) {
                    Lanes.store(FloatVector.zero(Lanes.F), totals);
                } else {
                    // the partial sums of an earlier panel
                    Lanes.copy(at, totals, valid);
                }
                long xs = 4L * ((t + i) * perRow + from / 32);
                long sums = scratch + SUMS + i * 64L + lane * 4;
                VectorQuantRow.scale(w.form(), first + 2 * lane, blocks, sums, TOKENS * 64, x, xs, totals);
                Lanes.copy(totals, at, valid);
            }
        }
    }

    private static void multiply(long panel, long x, long xRow, long sums) {
        FloatVector s0 = FloatVector.zero(Lanes.F);
        FloatVector s1 = s0;
        FloatVector s2 = s0;
        FloatVector s3 = s0;
        FloatVector s4 = s0;
        FloatVector s5 = s0;
        FloatVector s6 = s0;
        FloatVector s7 = s0;
        long x4 = x + 4 * xRow;
        for (int k = 0; k < 32; k++) {
            FloatVector w = Lanes.floats(panel + k * 64L);
            long at = k * 4L;
            s0 = w.fma(Lanes.splat(x + at), s0);
            s1 = w.fma(Lanes.splat(x + xRow + at), s1);
            s2 = w.fma(Lanes.splat(x + 2 * xRow + at), s2);
            s3 = w.fma(Lanes.splat(x + 3 * xRow + at), s3);
            s4 = w.fma(Lanes.splat(x4 + at), s4);
            s5 = w.fma(Lanes.splat(x4 + xRow + at), s5);
            s6 = w.fma(Lanes.splat(x4 + 2 * xRow + at), s6);
            s7 = w.fma(Lanes.splat(x4 + 3 * xRow + at), s7);
        }
        Lanes.store(s0, sums);
        Lanes.store(s1, sums + 64);
        Lanes.store(s2, sums + 128);
        Lanes.store(s3, sums + 192);
        Lanes.store(s4, sums + 256);
        Lanes.store(s5, sums + 320);
        Lanes.store(s6, sums + 384);
        Lanes.store(s7, sums + 448);
    }

    /** The quants of 32 columns as floats, for Q6_K times their scales. */
    private static void unpack(Form form, long block, int b, long panel) {
        for (int lane = 0; lane < 16; lane += Lanes.COUNT) {
            long quants = block + form.quants + (long) b * form.quantStep() + 4 * lane;
            long to = panel + 4 * lane;
            switch (form) {
                case Q4_0, Q4_1, Q4_K -> nibbles(quants, to);
                case Q8_0 -> bytes(quants, 0x80808080, to);
                case Q5_1, Q5_K -> bytes(quants, 0, to);
                case Q6_K -> {
                    long pairs = block + Form.PAIRS + (long) b * Form.PAIR_BYTES + 2 * lane;
                    scaledBytes(quants, pairs, VectorQuantRow.LOW, to);
                    scaledBytes(quants + 4 * 64, pairs, VectorQuantRow.LOW - 8, to + 16 * 64);
                }
                case F32, F16, BF16 -> throw new IllegalArgumentException(form.name());
            }
        }
    }

    private static void nibbles(long quants, long panel) {
        for (int j = 0; j < 4; j++) {
            IntVector q = Lanes.ints(quants + j * 64);
            for (int i = 0; i < 4; i++) {
                long at = panel + (4 * j + i) * 64L;
                Lanes.storeAsFloats(q.lanewise(VectorOperators.LSHR, 8 * i).and(Lanes.broadcast(15)), at);
                Lanes.storeAsFloats(q.lanewise(VectorOperators.LSHR, 8 * i + 4).and(Lanes.broadcast(15)), at + 16 * 64);
            }
        }
    }

    private static void bytes(long quants, int flip, long panel) {
        for (int j = 0; j < 8; j++) {
            IntVector q = Lanes.ints(quants + j * 64).lanewise(VectorOperators.XOR, Lanes.broadcast(flip));
            for (int i = 0; i < 4; i++) {
                Lanes.storeAsFloats(Lanes.bytes(q, 24 - 8 * i), panel + (4 * j + i) * 64L);
            }
        }
    }

    /** Sixteen columns times one of a pair of scales. */
    private static void scaledBytes(long quants, long pairs, int which, long panel) {
        IntVector scale = Lanes.bytes(Lanes.shorts(pairs), which);
        for (int j = 0; j < 4; j++) {
            IntVector q = Lanes.ints(quants + j * 64).lanewise(VectorOperators.XOR, Lanes.broadcast(0x80808080));
            for (int i = 0; i < 4; i++) {
                Lanes.storeAsFloats(Lanes.bytes(q, 24 - 8 * i).mul(scale), panel + (4 * j + i) * 64L);
            }
        }
    }
}
