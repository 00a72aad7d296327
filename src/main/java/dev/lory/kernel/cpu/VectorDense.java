package dev.lory.kernel.cpu;

import jdk.incubator.vector.FloatVector;

/** Plain weights times F32 tokens: a panel of 16 rows is unpacked to floats, then meets tiles of four tokens or single ones. */
final class VectorDense {
    /** Columns of a panel; even, because even and odd columns are summed apart. */
    static final int PANEL = 256;

    /** Where sums lie behind the panel: two vectors of 16 for each of up to four tokens. */
    static final long SUMS = PANEL * 64;

    private VectorDense() {}

    static void groups(PackedWeight w, Dense job, int g0, int g1, long scratch) {
        int step = w.form().blockBytes;
        for (int g = g0; g < g1; g++) {
            long group = w.address() + g * w.form().groupBytes(w.cols());
            // a narrow weight (a low-rank factor) is one panel, unpacked once for all entries
            boolean once = w.cols() <= PANEL;
            if (once) {
                unpack(w.form(), group, step, w.cols(), scratch);
            }
            for (int e = 0; e < job.entries; ) {
                int count = job.entries - e >= 4 ? 4 : 1;
                clear(scratch + SUMS);
                for (int k = 0; k < w.cols(); k += PANEL) {
                    int cols = Math.min(PANEL, w.cols() - k);
                    if (!once) {
                        unpack(w.form(), group + (long) k * step, step, cols, scratch);
                    }
                    long x = 4L * k;
                    if (count == 4) {
                        four(
                                scratch,
                                cols,
                                job.xRow(e) + x,
                                job.xRow(e + 1) + x,
                                job.xRow(e + 2) + x,
                                job.xRow(e + 3) + x);
                    } else {
                        one(scratch, cols, job.xRow(e) + x, scratch + SUMS);
                    }
                }
                for (int i = 0; i < count; i++) {
                    finish(scratch + SUMS + i * 128L, job, e + i, g * 16, w.rows());
                }
                e += count;
            }
        }
    }

    private static void finish(long sums, Dense job, int entry, int row, int rows) {
        float factor = job.factor == 0 ? 1 : Memory.getFloat(job.factor + 4L * entry);
        long y = job.yRow(entry) + 4L * row;
        total(sums, factor);
        for (int lane = 0; lane < 16; lane += Lanes.COUNT) {
            int valid = rows - row - lane;
            if (job.yRows == 0) {
                Lanes.copy(sums + 4 * lane, y + 4 * lane, valid);
            } else {
                VectorRows.add(sums + 4 * lane, y + 4 * lane, Math.clamp(valid, 0, Lanes.COUNT));
            }
        }
    }

    /** Both sums of a token together, times the factor, in place of the first. */
    static void total(long sums, float factor) {
        for (int i = 0; i < 64; i += 4 * Lanes.COUNT) {
            Lanes.store(Lanes.floats(sums + i).add(Lanes.floats(sums + 64 + i)).mul(Lanes.broadcast(factor)), sums + i);
        }
    }

    static void clear(long sums) {
        FloatVector zero = FloatVector.zero(Lanes.F);
        for (int i = 0; i < 512; i += 4 * Lanes.COUNT) {
            Lanes.store(zero, sums + i);
        }
    }

    /** {@code count} columns of 16 elements, {@code step} bytes apart, as floats. */
    static void unpack(Form form, long from, int step, int count, long panel) {
        for (int lane = 0; lane < 16; lane += Lanes.COUNT) {
            long to = panel + 4 * lane;
            switch (form) {
                case F32 -> floats(from + 4 * lane, step, count, to);
                case F16 -> halves(from + 2 * lane, step, count, to);
                case BF16 -> brains(from + 2 * lane, step, count, to);
                case Q4_0, Q4_1, Q8_0 -> throw new IllegalArgumentException(form.name());
            }
        }
    }

    private static void floats(long from, int step, int count, long to) {
        for (int k = 0; k < count; k++) {
            Lanes.store(Lanes.floats(from + (long) k * step), to + k * 64L);
        }
    }

    private static void halves(long from, int step, int count, long to) {
        for (int k = 0; k < count; k++) {
            Lanes.store(Lanes.halves(from + (long) k * step), to + k * 64L);
        }
    }

    private static void brains(long from, int step, int count, long to) {
        for (int k = 0; k < count; k++) {
            Lanes.store(Lanes.brains(from + (long) k * step), to + k * 64L);
        }
    }

    /** Adds a panel times one token to its two sums. */
    static void one(long panel, int count, long x, long sums) {
        for (int lane = 0; lane < 16; lane += Lanes.COUNT) {
            long w = panel + 4 * lane;
            FloatVector even = Lanes.floats(sums + 4 * lane);
            FloatVector odd = Lanes.floats(sums + 64 + 4 * lane);
            int k = 0;
            for (; k + 1 < count; k += 2) {
                even = Lanes.floats(w + k * 64L).fma(Lanes.splat(x + k * 4L), even);
                odd = Lanes.floats(w + k * 64L + 64).fma(Lanes.splat(x + k * 4L + 4), odd);
            }
            if (k < count) {
                even = Lanes.floats(w + k * 64L).fma(Lanes.splat(x + k * 4L), even);
            }
            Lanes.store(even, sums + 4 * lane);
            Lanes.store(odd, sums + 64 + 4 * lane);
        }
    }

    /** As {@link #one} for four tokens, whose sums follow one another behind the panel. */
    static void four(long panel, int count, long xa, long xb, long xc, long xd) {
        long sums = panel + SUMS;
        for (int lane = 0; lane < 16; lane += Lanes.COUNT) {
            fourEven(panel + 4 * lane, 0, count, xa, xb, xc, xd, sums + 4 * lane);
            fourEven(panel + 4 * lane, 1, count, xa, xb, xc, xd, sums + 64 + 4 * lane);
        }
    }

    private static void fourEven(long w, int from, int count, long xa, long xb, long xc, long xd, long sums) {
        FloatVector a = Lanes.floats(sums);
        FloatVector b = Lanes.floats(sums + 128);
        FloatVector c = Lanes.floats(sums + 256);
        FloatVector d = Lanes.floats(sums + 384);
        for (int k = from; k < count; k += 2) {
            FloatVector v = Lanes.floats(w + k * 64L);
            a = v.fma(Lanes.splat(xa + k * 4L), a);
            b = v.fma(Lanes.splat(xb + k * 4L), b);
            c = v.fma(Lanes.splat(xc + k * 4L), c);
            d = v.fma(Lanes.splat(xd + k * 4L), d);
        }
        Lanes.store(a, sums);
        Lanes.store(b, sums + 128);
        Lanes.store(c, sums + 256);
        Lanes.store(d, sums + 384);
    }
}
