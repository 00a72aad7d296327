package dev.lory.kernel.cpu;

import dev.lory.kernel.LoraFactors;

/** A whole weight in place of the base's, for the rows of one adapter. */
record CpuReplacement(PackedWeight weight) implements LoraFactors {
    @Override
    public int rank() {
        return 0;
    }

    @Override
    public long bytes() {
        return weight.bytes();
    }

    @Override
    public void close() {
        weight.area().free();
    }
}
