package dev.lory.kernel.cpu;

import dev.lory.kernel.AttentionShape;

/** The operands of one attention call; filled by the calling thread, then only read. */
final class Attention {
    long q;
    long y;
    /** Floats from row to row of q and y. */
    int stride;
    /** int32 position of each row. */
    long positions;
    /** Halves {@code [block][position / 16][width][16]} of the layer. */
    long keys;
    /** Halves {@code [block][position][width]} of the layer. */
    long values;

    int width;
    int blockSize;
    int scoreStride;
    AttentionShape shape = AttentionShape.full(1, 1, 1, 1);

    /** Query heads to a kv head. */
    int group() {
        return shape.heads() / shape.kvHeads();
    }

    /** Groups of 16 positions in a block. */
    int chunks() {
        return (blockSize + 15) / 16;
    }

    /** The first position that a query at the end of such a context sees. */
    int windowStart(int context) {
        return Math.max(0, context - shape.window());
    }
}
