package dev.lory.tensor;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * ggml {@code block_q6_K}: 256 elements in 16 groups; 128 bytes with the lower four bits, 64 bytes with the upper two as
 * in Q2_K, 16 signed scales, half d. Value d·scale·(q−32).
 */
final class Q6KCodec implements BlockCodec {
    private static final int HIGH = 128;
    private static final int SCALES = 192;
    private static final int D = 208;

    @Override
    public void decode(MemorySegment storage, long offset, float[] out, int at) {
        float d = Bits.half(storage, offset + D);
        for (int group = 0; group < 16; group++) {
            float scale = d * storage.get(ValueLayout.JAVA_BYTE, offset + SCALES + group);
            for (int i = 16 * group; i < 16 * group + 16; i++) {
                // each 64 bytes hold 128 elements: the first 64 in the low, the others in the high nibbles
                int low = Bits.unsigned(storage, offset + i / 128 * 64 + i % 64) >> i % 128 / 64 * 4 & 15;
                int q = low | Q2KCodec.crumb(storage, offset + HIGH, i) << 4;
                out[at + i] = scale * (q - 32);
            }
        }
    }
}
