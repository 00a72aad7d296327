package dev.lory.tensor;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** Turns floats into stored blocks, rounding to the nearest as ggml's {@code quantize_row_*_ref} do; the bytes are equal. */
@FunctionalInterface
public interface BlockEncoder {
    /**
     * Encodes one block.
     *
     * @param in has the block's elements from {@code at} on
     * @param offset where the block starts in {@code storage}, in bytes
     */
    void encode(float[] in, int at, MemorySegment storage, long offset);

    /** IEEE 754 binary32. */
    BlockEncoder F32 = (in, at, s, o) -> s.set(Layouts.FLOAT, o, in[at]);

    /** IEEE 754 binary16, ties to even. */
    BlockEncoder F16 = (in, at, s, o) -> s.set(Layouts.SHORT, o, Float.floatToFloat16(in[at]));

    /** The upper half of a binary32, ties to even; a NaN stays one. */
    BlockEncoder BF16 = (in, at, s, o) -> {
        int bits = Float.floatToRawIntBits(in[at]);
        int rounded = Float.isNaN(in[at]) ? bits | 1 << 22 : bits + 0x7fff + (bits >>> 16 & 1);
        s.set(Layouts.SHORT, o, (short) (rounded >>> 16));
    };

    /** d is the value of the largest magnitude divided by −8, so that this one is exact up to the rounding of d. */
    BlockEncoder Q4_0 = (in, at, s, o) -> {
        float largest = 0;
        for (int i = 0; i < 32; i++) {
            largest = Math.abs(in[at + i]) > Math.abs(largest) ? in[at + i] : largest;
        }
        float d = largest / -8;
        float inverse = d == 0 ? 0 : 1 / d;
        s.set(Layouts.SHORT, o, Float.floatToFloat16(d));
        for (int i = 0; i < 16; i++) {
            int low = nibble(in[at + i] * inverse);
            int high = nibble(in[at + 16 + i] * inverse);
            s.set(ValueLayout.JAVA_BYTE, o + 2 + i, (byte) (low | high << 4));
        }
    };

    /** d is the largest magnitude divided by 127. */
    BlockEncoder Q8_0 = (in, at, s, o) -> {
        float largest = 0;
        for (int i = 0; i < 32; i++) {
            largest = Math.max(largest, Math.abs(in[at + i]));
        }
        float d = largest / 127;
        float inverse = d == 0 ? 0 : 1 / d;
        s.set(Layouts.SHORT, o, Float.floatToFloat16(d));
        for (int i = 0; i < 32; i++) {
            double scaled = in[at + i] * inverse;
            // C's roundf: halves away from zero
            s.set(ValueLayout.JAVA_BYTE, o + 2 + i, (byte) (scaled + Math.copySign(0.5, scaled)));
        }
    };

    private static int nibble(float scaled) {
        return Math.min(15, (int) (scaled + 8.5f));
    }
}
