package dev.lory.kernel.cpu;

import dev.lory.kernel.LoraFactors;

/**
 * Both factors packed like weights: a lane of A is a rank, a lane of B an output. 16-bit factors stay 16-bit.
 *
 * @param gain a float for each output, with which DoRA multiplies it; {@link #PLAIN} = none
 */
record CpuLora(PackedWeight a, PackedWeight b, float scale, Memory.Area gain) implements LoraFactors {
    /** No gain. */
    static final Memory.Area PLAIN = new Memory.Area(0, 0, () -> {});

    boolean hasGain() {
        return gain.bytes() > 0;
    }

    @Override
    public int rank() {
        return a.rows();
    }

    @Override
    public long bytes() {
        return a.bytes() + b.bytes() + gain.bytes();
    }

    @Override
    public void close() {
        a.area().free();
        b.area().free();
        gain.free();
    }
}
