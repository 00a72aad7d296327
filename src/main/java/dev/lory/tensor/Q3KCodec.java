package dev.lory.tensor;

import java.lang.foreign.MemorySegment;

/**
 * ggml {@code block_q3_K}: 256 elements in 16 groups; 32 bytes with the third bits, 64 bytes with the lower two as in
 * Q2_K, 12 bytes with the 6-bit scales, half d. Value d·(scale−32)·(q−4).
 */
final class Q3KCodec implements KCodec {
    private static final int QUANTS = 32;
    private static final int SCALES = 96;
    private static final int D = 108;

    @Override
    public void read(MemorySegment storage, long offset, SuperBlock to) {
        to.d = storage.get(Layouts.SHORT, offset + D);
        to.dmin = 0;
        for (int group = 0; group < 16; group++) {
            to.scales[group] = (byte) (scale(storage, offset + SCALES, group) - 32);
            to.minima[group] = 0;
        }
        for (int i = 0; i < SuperBlock.LENGTH; i++) {
            int high = Bits.unsigned(storage, offset + i % 32) >> i / 32 & 1;
            to.quants[i] = (byte) ((Q2KCodec.crumb(storage, offset + QUANTS, i) | high << 2) - 4);
        }
    }

    /** The first 8 bytes hold the lower four bits of scales 0..7 and 8..15, the last 4 the upper two of all. */
    private static int scale(MemorySegment storage, long offset, int group) {
        int low = Bits.unsigned(storage, offset + group % 8) >> group / 8 * 4 & 15;
        int high = Bits.unsigned(storage, offset + 8 + group % 4) >> group / 4 * 2 & 3;
        return low | high << 4;
    }
}
