package dev.lory.kernel.cpu;

import dev.lory.tensor.SuperBlock;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/** One row's part of a block of a K form, see {@link Form}. */
final class PackedBlocks {
    private static final VarHandle SHORTS =
            MethodHandles.byteArrayViewVarHandle(short[].class, ByteOrder.LITTLE_ENDIAN);
    private static final int SIGN = 0x8000;

    private PackedBlocks() {}

    /** Writes a row's block to a lane of the block that begins at {@code to}, where zeros are. The halves m are −dmin. */
    static void pack(Form form, SuperBlock from, byte[] packed, int to, int lane) {
        SHORTS.set(packed, to + lane * 2, from.d);
        SHORTS.set(packed, to + 32 + lane * 2, (short) (from.dmin ^ SIGN));
        byte[] high = form == Form.Q6_K ? from.scales : from.minima;
        for (int b = 0; b < 8; b++) {
            int pair = to + Form.PAIRS + b * Form.PAIR_BYTES + lane * 2;
            packed[pair] = from.scales[2 * b];
            packed[pair + 1] = high[2 * b + 1];
        }
        for (int i = 0; i < SuperBlock.LENGTH; i++) {
            int q = from.quants[i] + form.bias;
            int at = to + form.quants + i / 32 * form.quantStep() + lane * 4 + i % 4;
            if (form.ofNibbles()) {
                packed[at + i % 16 / 4 * 64] |= (byte) (q << i % 32 / 16 * 4);
            } else {
                packed[at + i % 32 / 4 * 64] = (byte) q;
            }
        }
    }

    /** Decodes a lane of a block to 256 floats, in the steps in which the file's type is defined. */
    static void decode(Form form, long block, int lane, long to) {
        float d = Memory.getHalf(block + lane * 2);
        float m = Memory.getHalf(block + 32 + lane * 2);
        for (int group = 0; group < 16; group++) {
            long pair = block + Form.PAIRS + group / 2 * Form.PAIR_BYTES + lane * 2;
            float scale = d * Memory.getByte(form == Form.Q6_K ? pair + group % 2 : pair);
            // adding −0 changes nothing, not even a zero
            float min = form == Form.Q6_K ? -0f : m * Memory.getByte(pair + 1);
            for (int i = 16 * group; i < 16 * group + 16; i++) {
                Memory.setFloat(to + 4L * i, scale * quant(form, block, lane, i) + min);
            }
        }
    }

    private static int quant(Form form, long block, int lane, int i) {
        long at = block + form.quants + i / 32 * form.quantStep() + lane * 4 + i % 4;
        return form.ofNibbles()
                ? Memory.getByte(at + i % 16 / 4 * 64) >> i % 32 / 16 * 4 & 15
                : (Memory.getByte(at + i % 32 / 4 * 64) & 255) - form.bias;
    }
}
