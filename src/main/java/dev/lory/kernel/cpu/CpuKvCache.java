package dev.lory.kernel.cpu;

import dev.lory.kernel.KvCache;

/**
 * Keys and values in halves. Of a block and layer, keys lie as {@code [position / 16][width][16]}, so that a lane of the scores is a
 * position, and values as {@code [position][width]}, so that a lane of the output is a feature: neither needs a sum across lanes.
 */
record CpuKvCache(int layers, int blocks, int blockSize, int width, Memory.Area area) implements KvCache {
    static CpuKvCache of(int layers, int blocks, int blockSize, int width) {
        long bytes = blocks * blockBytes(layers, blockSize, width);
        return new CpuKvCache(layers, blocks, blockSize, width, Memory.allocate(bytes));
    }

    /** Bytes of one block of all layers. */
    static long blockBytes(int layers, int blockSize, int width) {
        return layers * (keyBytes(1, blockSize, width) + 2L * blockSize * width);
    }

    private static long keyBytes(int blocks, int blockSize, int width) {
        return 32L * blocks * ((blockSize + 15) / 16) * width;
    }

    /** The keys of a layer. */
    long keys(int layer) {
        return area.address() + layer * keyBytes(blocks, blockSize, width);
    }

    /** The values of a layer. */
    long values(int layer) {
        return keys(layers) + 2L * layer * blocks * blockSize * width;
    }

    /** Where the first element of the key in a slot lies; the next is 32 bytes on. */
    long key(int layer, int slot) {
        int offset = slot % blockSize;
        long chunk = (long) slot / blockSize * ((blockSize + 15) / 16) + offset / 16;
        return keys(layer) + 32 * chunk * width + 2 * (offset % 16);
    }

    /** Where the first element of the value in a slot lies. */
    long value(int layer, int slot) {
        return values(layer) + 2L * slot * width;
    }
}
