package dev.lory.tensor;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;

/**
 * ggml {@code block_q6_K}: 256 elements in 16 groups; 128 bytes with the lower four bits, 64 bytes with the upper two as
 * in Q2_K, 16 signed scales, half d. Value d·scale·(q−32).
 */
final class Q6KCodec implements KCodec {
    private static final int HIGH = 128;
    private static final int SCALES = 192;
    private static final int D = 208;

    @Override
    public void read(MemorySegment storage, long offset, SuperBlock to) {
        to.d = storage.get(Layouts.SHORT, offset + D);
        to.dmin = 0;
        MemorySegment.copy(storage, ValueLayout.JAVA_BYTE, offset + SCALES, to.scales, 0, 16);
        Arrays.fill(to.minima, (byte) 0);
        for (int i = 0; i < SuperBlock.LENGTH; i++) {
            // each 64 bytes hold 128 elements: the first 64 in the low, the others in the high nibbles
            int low = Bits.unsigned(storage, offset + i / 128 * 64 + i % 64) >> i % 128 / 64 * 4 & 15;
            to.quants[i] = (byte) ((low | Q2KCodec.crumb(storage, offset + HIGH, i) << 4) - 32);
        }
    }
}
