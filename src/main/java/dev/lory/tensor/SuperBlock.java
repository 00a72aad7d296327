package dev.lory.tensor;

import java.lang.foreign.MemorySegment;

/**
 * The whole numbers of a block of ggml's K types: 256 elements in 16 groups of 16. An element of group g is d·scales[g]·quant − dmin·minima[g].
 * Types without minima have zeros there, types with groups of 32 have each number twice.
 */
public final class SuperBlock {
    public static final int LENGTH = 256;

    /** IEEE 754 binary16, as in the file. */
    public short d;

    public short dmin;
    public final byte[] scales = new byte[16];
    public final byte[] minima = new byte[16];
    public final byte[] quants = new byte[LENGTH];

    /** Reads a block of a K type that begins at an offset. */
    public void read(DType type, MemorySegment storage, long offset) {
        if (!(type.codec() instanceof KCodec codec)) {
            throw new IllegalArgumentException(type + " has no blocks of " + LENGTH);
        }
        codec.read(storage, offset, this);
    }

    void decode(float[] out, int at) {
        for (int group = 0; group < 16; group++) {
            float scale = Float.float16ToFloat(d) * scales[group];
            float min = Float.float16ToFloat(dmin) * minima[group];
            for (int i = 16 * group; i < 16 * group + 16; i++) {
                out[at + i] = scale * quants[i] - min;
            }
        }
    }
}
