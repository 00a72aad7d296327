package dev.lory.tensor;

import java.lang.foreign.MemorySegment;

/** The K types differ in where a block has its numbers, not in what is computed from them. */
interface KCodec extends BlockCodec {
    /** Reads a block that begins at an offset. */
    void read(MemorySegment storage, long offset, SuperBlock to);

    @Override
    default void decode(MemorySegment storage, long offset, float[] out, int at) {
        SuperBlock block = new SuperBlock();
        read(storage, offset, block);
        block.decode(out, at);
    }
}
