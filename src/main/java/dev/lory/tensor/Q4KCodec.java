package dev.lory.tensor;

import java.lang.foreign.MemorySegment;

/**
 * ggml {@code block_q4_K}: 256 elements in 8 groups; half d, half dmin, 12 bytes with 6-bit scales and minima, 128 bytes
 * of which each 32 hold two groups, one in the low and one in the high nibbles. Value d·scale·q − dmin·min.
 */
final class Q4KCodec implements BlockCodec {
    private static final int SCALES = 4;
    private static final int QUANTS = 16;

    @Override
    public void decode(MemorySegment storage, long offset, float[] out, int at) {
        for (int group = 0; group < 8; group++) {
            float scale = scale(storage, offset, group);
            float min = min(storage, offset, group);
            for (int i = 0; i < 32; i++) {
                out[at + 32 * group + i] = scale * nibble(storage, offset + QUANTS, group, i) - min;
            }
        }
    }

    static int nibble(MemorySegment storage, long offset, int group, int i) {
        return Bits.unsigned(storage, offset + group / 2 * 32 + i) >> group % 2 * 4 & 15;
    }

    /** d·scale of a group. */
    static float scale(MemorySegment storage, long offset, int group) {
        return Bits.half(storage, offset) * six(storage, offset + SCALES, group, 0);
    }

    /** dmin·min of a group. */
    static float min(MemorySegment storage, long offset, int group) {
        return Bits.half(storage, offset + 2) * six(storage, offset + SCALES, group, 4);
    }

    /**
     * Groups 0..3 have their scales in bytes 0..3 and their minima in bytes 4..7; those of groups 4..7 lie in the nibbles
     * of bytes 8..11 and, their two upper bits, on top of the former.
     *
     * @param of 0 for a scale, 4 for a minimum
     */
    private static int six(MemorySegment storage, long offset, int group, int of) {
        int byFour = Bits.unsigned(storage, offset + group % 4 + of);
        if (group < 4) {
            return byFour & 63;
        }
        return Bits.unsigned(storage, offset + 4 + group) >> of & 15 | byFour >> 6 << 4;
    }
}
