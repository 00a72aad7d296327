package dev.lory.sampling;

/**
 * Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011): a random number as a function of seed and
 * position, so that recomputing a sequence repeats its draws.
 */
final class Philox {
    private static final long M0 = 0xD2511F53L;
    private static final long M1 = 0xCD9E8D57L;
    private static final int W0 = 0x9E3779B9;
    private static final int W1 = 0xBB67AE85;
    private static final long LOW = 0xFFFFFFFFL;

    private Philox() {}

    /** The first 64 bits of the block with counter {@code position} and key {@code seed}. */
    static long bits(long seed, long position) {
        int c0 = (int) position;
        int c1 = (int) (position >>> 32);
        int c2 = 0;
        int c3 = 0;
        int k0 = (int) seed;
        int k1 = (int) (seed >>> 32);
        for (int round = 0; round < 10; round++) {
            long p0 = M0 * (c0 & LOW);
            long p1 = M1 * (c2 & LOW);
            int n0 = (int) (p1 >>> 32) ^ c1 ^ k0;
            int n2 = (int) (p0 >>> 32) ^ c3 ^ k1;
            c1 = (int) p1;
            c3 = (int) p0;
            c0 = n0;
            c2 = n2;
            k0 += W0;
            k1 += W1;
        }
        return (c1 & LOW) << 32 | c0 & LOW;
    }

    /** Uniform in [0, 1). */
    static double uniform(long seed, long position) {
        return (bits(seed, position) >>> 11) * 0x1p-53;
    }
}
