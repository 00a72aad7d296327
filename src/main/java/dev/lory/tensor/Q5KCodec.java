package dev.lory.tensor;

import java.lang.foreign.MemorySegment;

/** ggml {@code block_q5_K}: as Q4_K, with 32 bytes of fifth bits, one bit of each for each group, before the quants. */
final class Q5KCodec implements BlockCodec {
    private static final int HIGH = 16;
    private static final int QUANTS = 48;

    @Override
    public void decode(MemorySegment storage, long offset, float[] out, int at) {
        for (int group = 0; group < 8; group++) {
            float scale = Q4KCodec.scale(storage, offset, group);
            float min = Q4KCodec.min(storage, offset, group);
            for (int i = 0; i < 32; i++) {
                int high = Bits.unsigned(storage, offset + HIGH + i) >> group & 1;
                int q = Q4KCodec.nibble(storage, offset + QUANTS, group, i) | high << 4;
                out[at + 32 * group + i] = scale * q - min;
            }
        }
    }
}
