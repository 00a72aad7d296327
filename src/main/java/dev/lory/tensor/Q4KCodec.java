package dev.lory.tensor;

import java.lang.foreign.MemorySegment;

/**
 * ggml {@code block_q4_K}: 256 elements in 8 groups; half d, half dmin, 12 bytes with 6-bit scales and minima, 128 bytes
 * of which each 32 hold two groups, one in the low and one in the high nibbles. Value d·scale·q − dmin·min.
 */
final class Q4KCodec implements KCodec {
    private static final int SCALES = 4;
    private static final int QUANTS = 16;

    @Override
    public void read(MemorySegment storage, long offset, SuperBlock to) {
        readScales(storage, offset, to);
        for (int i = 0; i < SuperBlock.LENGTH; i++) {
            to.quants[i] = (byte) nibble(storage, offset + QUANTS, i);
        }
    }

    /** The beginning of a block. */
    static void readScales(MemorySegment storage, long offset, SuperBlock to) {
        to.d = storage.get(Layouts.SHORT, offset);
        to.dmin = storage.get(Layouts.SHORT, offset + 2);
        for (int i = 0; i < 16; i++) {
            to.scales[i] = (byte) six(storage, offset + SCALES, i / 2, 0);
            to.minima[i] = (byte) six(storage, offset + SCALES, i / 2, 4);
        }
    }

    /** Element i of quants of four bits: each 32 bytes hold two groups of 32. */
    static int nibble(MemorySegment storage, long offset, int i) {
        return Bits.unsigned(storage, offset + i / 64 * 32 + i % 32) >> i % 64 / 32 * 4 & 15;
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
