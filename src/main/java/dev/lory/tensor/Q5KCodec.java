package dev.lory.tensor;

import java.lang.foreign.MemorySegment;

/** ggml {@code block_q5_K}: as Q4_K, with 32 bytes of fifth bits, one bit of each for each group, before the quants. */
final class Q5KCodec implements KCodec {
    private static final int HIGH = 16;
    private static final int QUANTS = 48;

    @Override
    public void read(MemorySegment storage, long offset, SuperBlock to) {
        Q4KCodec.readScales(storage, offset, to);
        for (int i = 0; i < SuperBlock.LENGTH; i++) {
            int high = Bits.unsigned(storage, offset + HIGH + i % 32) >> i / 32 & 1;
            to.quants[i] = (byte) (Q4KCodec.nibble(storage, offset + QUANTS, i) | high << 4);
        }
    }
}
