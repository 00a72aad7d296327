package dev.lory.kernel.cpu;

import jdk.incubator.vector.FloatVector;

/** What the Vector API does at most: products of floats from registers, and floats read from memory. */
final class VectorPeak {
    /** Sums under way: enough that none waits for itself, few enough for the registers of AVX2. */
    private static final int SUMS = 10;

    private VectorPeak() {}

    /** @return how many products that were */
    static long multiply(int rounds, long room) {
        FloatVector x = Lanes.floats(room);
        FloatVector a = x;
        FloatVector b = x;
        FloatVector c = x;
        FloatVector d = x;
        FloatVector e = x;
        FloatVector f = x;
        FloatVector g = x;
        FloatVector h = x;
        FloatVector i = x;
        FloatVector j = x;
        for (int round = 0; round < rounds; round++) {
            a = a.fma(x, x);
            b = b.fma(x, x);
            c = c.fma(x, x);
            d = d.fma(x, x);
            e = e.fma(x, x);
            f = f.fma(x, x);
            g = g.fma(x, x);
            h = h.fma(x, x);
            i = i.fma(x, x);
            j = j.fma(x, x);
        }
        Lanes.store(a.add(b).add(c).add(d).add(e).add(f.add(g).add(h).add(i).add(j)), room);
        return (long) rounds * SUMS * Lanes.COUNT;
    }

    /** @param room 64 bytes, where their sum goes, so that they must be read */
    static void read(long from, long bytes, long room) {
        FloatVector a = FloatVector.zero(Lanes.F);
        FloatVector b = a;
        FloatVector c = a;
        FloatVector d = a;
        long step = 4L * Lanes.COUNT;
        for (long at = from; at < from + bytes; at += 4 * step) {
            a = a.add(Lanes.floats(at));
            b = b.add(Lanes.floats(at + step));
            c = c.add(Lanes.floats(at + 2 * step));
            d = d.add(Lanes.floats(at + 3 * step));
        }
        Lanes.store(a.add(b).add(c).add(d), room);
    }
}
