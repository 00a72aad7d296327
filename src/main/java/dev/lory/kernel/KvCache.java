package dev.lory.kernel;

/** Keys and values of all layers in blocks of {@link #blockSize()} positions; slot = block · blockSize + offset. */
public interface KvCache {
    int blocks();

    int blockSize();
}
