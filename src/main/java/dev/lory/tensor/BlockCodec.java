package dev.lory.tensor;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** Turns stored blocks into floats; the plain truth that every fast kernel is compared with. Little endian, any alignment. */
@FunctionalInterface
public interface BlockCodec {
    /**
     * Decodes one block.
     *
     * @param offset where the block starts in {@code storage}, in bytes
     * @param out receives the block's elements from {@code at} on
     */
    void decode(MemorySegment storage, long offset, float[] out, int at);

    /** IEEE 754 binary32. */
    BlockCodec F32 = (s, o, out, at) -> out[at] = s.get(Layouts.FLOAT, o);

    /** IEEE 754 binary16. */
    BlockCodec F16 = (s, o, out, at) -> out[at] = Bits.half(s, o);

    /** The upper half of a binary32. */
    BlockCodec BF16 = (s, o, out, at) -> out[at] = Float.intBitsToFloat(s.get(Layouts.SHORT, o) << 16);

    /** ggml {@code block_q4_0}: half d, 16 bytes; low nibbles are elements 0..15, high ones 16..31; value d·(q−8). */
    BlockCodec Q4_0 = (s, o, out, at) -> nibbles(s, o + 2, Bits.half(s, o), -8 * Bits.half(s, o), out, at);

    /** ggml {@code block_q4_1}: half d, half m, 16 bytes as in Q4_0; value d·q+m. */
    BlockCodec Q4_1 = (s, o, out, at) -> nibbles(s, o + 4, Bits.half(s, o), Bits.half(s, o + 2), out, at);

    /** ggml {@code block_q5_0}: half d, the fifth bits of all 32 quants, 16 bytes as in Q4_0; value d·(q−16). */
    BlockCodec Q5_0 = (s, o, out, at) -> fives(s, o + 2, Bits.half(s, o), -16 * Bits.half(s, o), out, at);

    /** ggml {@code block_q5_1}: half d, half m, then as Q5_0; value d·q+m. */
    BlockCodec Q5_1 = (s, o, out, at) -> fives(s, o + 4, Bits.half(s, o), Bits.half(s, o + 2), out, at);

    /** ggml {@code block_q8_0}: half d, 32 signed bytes; value d·q. */
    BlockCodec Q8_0 = (s, o, out, at) -> {
        float d = Bits.half(s, o);
        for (int i = 0; i < 32; i++) {
            out[at + i] = d * s.get(ValueLayout.JAVA_BYTE, o + 2 + i);
        }
    };

    private static void nibbles(MemorySegment storage, long offset, float d, float m, float[] out, int at) {
        for (int i = 0; i < 16; i++) {
            int pair = Bits.unsigned(storage, offset + i);
            out[at + i] = d * (pair & 15) + m;
            out[at + 16 + i] = d * (pair >> 4) + m;
        }
    }

    private static void fives(MemorySegment storage, long offset, float d, float m, float[] out, int at) {
        int high = storage.get(Layouts.INT, offset);
        for (int i = 0; i < 16; i++) {
            int pair = Bits.unsigned(storage, offset + 4 + i);
            out[at + i] = d * (pair & 15 | (high >> i & 1) << 4) + m;
            out[at + 16 + i] = d * (pair >> 4 | (high >> i + 16 & 1) << 4) + m;
        }
    }
}
