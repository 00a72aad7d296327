package dev.lory.kernel.cpu;

import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/**
 * The vector shape of this machine and the few loads and stores all Vector API kernels share. A group of 16 rows is 16 / {@link #COUNT}
 * vectors. The compiler gives up on methods of more than some 55 vector operations, these included, and then runs them 10 times slower.
 */
final class Lanes {
    private static final VectorShape SHAPE =
            VectorShape.forBitSize(Math.clamp(FloatVector.SPECIES_PREFERRED.vectorBitSize(), 128, 512));

    static final VectorSpecies<Float> F = VectorSpecies.of(float.class, SHAPE);
    static final VectorSpecies<Integer> I = VectorSpecies.of(int.class, SHAPE);
    static final VectorSpecies<Short> S = VectorSpecies.of(short.class, SHAPE);
    private static final VectorSpecies<Short> HALF =
            VectorSpecies.of(short.class, VectorShape.forBitSize(SHAPE.vectorBitSize() / 2));
    /** Floats in a vector: 4, 8 or 16. */
    static final int COUNT = F.length();

    static final ByteOrder LE = ByteOrder.LITTLE_ENDIAN;

    private Lanes() {}

    static FloatVector floats(long address) {
        return FloatVector.fromMemorySegment(F, Memory.ALL, address, LE);
    }

    static IntVector ints(long address) {
        return IntVector.fromMemorySegment(I, Memory.ALL, address, LE);
    }

    static FloatVector splat(long address) {
        return FloatVector.broadcast(F, Memory.getFloat(address));
    }

    /** Halves to floats; an infinity becomes 65536. */
    static FloatVector halves(long address) {
        IntVector h = shorts(address);
        FloatVector magnitude = h.and(0x7fff)
                .lanewise(VectorOperators.LSHL, 13)
                .reinterpretAsFloats()
                .mul(0x1p112f);
        return magnitude
                .reinterpretAsInts()
                .or(h.and(0x8000).lanewise(VectorOperators.LSHL, 16))
                .reinterpretAsFloats();
    }

    static FloatVector brains(long address) {
        return shorts(address).lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats();
    }

    private static IntVector shorts(long address) {
        return (IntVector)
                ShortVector.fromMemorySegment(HALF, Memory.ALL, address, LE).convertShape(VectorOperators.S2I, I, 0);
    }

    static void store(FloatVector v, long address) {
        v.intoMemorySegment(Memory.ALL, address, LE);
    }

    /** Stores the first {@code count} lanes, or all. */
    static void store(FloatVector v, long address, int count) {
        if (count >= COUNT) {
            v.intoMemorySegment(Memory.ALL, address, LE);
        } else if (count > 0) {
            v.intoMemorySegment(Memory.ALL, address, LE, F.indexInRange(0, count));
        }
    }

    /** Lane after lane. The order of {@code reduceLanes} is not specified and does change when a method is compiled. */
    static float sum(FloatVector v, long scratch) {
        store(v, scratch);
        float sum = 0;
        for (int i = 0; i < COUNT; i++) {
            sum += Memory.getFloat(scratch + 4L * i);
        }
        return sum;
    }
}
