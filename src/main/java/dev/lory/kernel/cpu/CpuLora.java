package dev.lory.kernel.cpu;

import dev.lory.kernel.LoraFactors;

/** Both factors packed like weights: a lane of A is a rank, a lane of B an output. 16-bit factors stay 16-bit. */
record CpuLora(PackedWeight a, PackedWeight b, float scale) implements LoraFactors {
    @Override
    public int rank() {
        return a.rows();
    }

    @Override
    public long bytes() {
        return a.bytes() + b.bytes();
    }

    @Override
    public void close() {
        a.area().free();
        b.area().free();
    }
}
