package dev.lory.tensor;

import java.lang.foreign.MemorySegment;

/**
 * ggml {@code block_q2_K}: 256 elements in 16 groups; 16 bytes with scale (low nibble) and minimum (high) of each group,
 * 64 bytes of quants, half d, half dmin. Value d·scale·q − dmin·min.
 */
final class Q2KCodec implements KCodec {
    private static final int QUANTS = 16;
    private static final int D = 80;
    private static final int DMIN = 82;

    @Override
    public void read(MemorySegment storage, long offset, SuperBlock to) {
        to.d = storage.get(Layouts.SHORT, offset + D);
        to.dmin = storage.get(Layouts.SHORT, offset + DMIN);
        for (int group = 0; group < 16; group++) {
            int scales = Bits.unsigned(storage, offset + group);
            to.scales[group] = (byte) (scales & 15);
            to.minima[group] = (byte) (scales >> 4);
        }
        for (int i = 0; i < SuperBlock.LENGTH; i++) {
            to.quants[i] = (byte) crumb(storage, offset + QUANTS, i);
        }
    }

    /** Element i of quants of two bits: each 32 bytes hold 128 elements, 32 in each pair of bits. */
    static int crumb(MemorySegment storage, long offset, int i) {
        return Bits.unsigned(storage, offset + i / 128 * 32 + i % 32) >> i % 128 / 32 * 2 & 3;
    }
}
