package dev.lory.kernel.cpu;

import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/**
 * The vector shape of this machine and the few operations all Vector API kernels share. A group of 16 rows is 16 / {@link #COUNT} vectors.
 *
 * <p>The compiler puts a vector on the heap where it crosses a call, and gives up, 10 times slower, on a method of more than some 55 vector
 * operations, those of callees included. Hence two kinds of methods: what takes or gives a vector is here or in {@link Exponential}
 * and always inlined; everything else in a class {@code Vector*} speaks of addresses, holds at most one loop, and is never inlined. The
 * {@code lory} script tells the JVM both. Without that it runs as well, but what is inlined where, and so allocates, is up to the day.
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
        return broadcast(Memory.getFloat(address));
    }

    /** The number in each lane. Handed to a vector's method as it is, it is often more than the compiler inlines. */
    static FloatVector broadcast(float value) {
        return FloatVector.broadcast(F, value);
    }

    static IntVector broadcast(int value) {
        return IntVector.broadcast(I, value);
    }

    /** Halves to floats; an infinity becomes 65536. */
    static FloatVector halves(long address) {
        IntVector h = shorts(address);
        FloatVector magnitude = h.and(broadcast(0x7fff))
                .lanewise(VectorOperators.LSHL, 13)
                .reinterpretAsFloats()
                .mul(broadcast(0x1p112f));
        return magnitude
                .reinterpretAsInts()
                .or(h.and(broadcast(0x8000)).lanewise(VectorOperators.LSHL, 16))
                .reinterpretAsFloats();
    }

    static FloatVector brains(long address) {
        return shorts(address).lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats();
    }

    /** The byte whose highest bit is {@code shift} below that of a lane, with its sign. */
    static IntVector bytes(IntVector v, int shift) {
        return v.lanewise(VectorOperators.LSHL, shift).lanewise(VectorOperators.ASHR, 24);
    }

    static FloatVector toFloats(IntVector v) {
        return (FloatVector) v.convert(VectorOperators.I2F, 0);
    }

    static IntVector shorts(long address) {
        return (IntVector)
                ShortVector.fromMemorySegment(HALF, Memory.ALL, address, LE).convertShape(VectorOperators.S2I, I, 0);
    }

    static void store(FloatVector v, long address) {
        v.intoMemorySegment(Memory.ALL, address, LE);
    }

    /** By bits: the compiler puts a blend by a mask on the heap here. */
    static FloatVector whereNegative(FloatVector of, FloatVector yes, FloatVector no) {
        IntVector mask = of.reinterpretAsInts().lanewise(VectorOperators.ASHR, 31);
        IntVector other = no.reinterpretAsInts();
        return yes.reinterpretAsInts()
                .lanewise(VectorOperators.XOR, other)
                .and(mask)
                .lanewise(VectorOperators.XOR, other)
                .reinterpretAsFloats();
    }

    /** The pair of shorts at an address, in all lanes. */
    static ShortVector pair(long address) {
        return broadcast(Memory.getInt(address)).reinterpretAsShorts();
    }

    /** The nibbles that begin at bits {@code shift} and {@code shift + 16} of each lane times the pair at an address. */
    static ShortVector nibbles(IntVector q, int shift, long pair) {
        return q.lanewise(VectorOperators.LSHR, shift)
                .and(broadcast(0x000f000f))
                .reinterpretAsShorts()
                .mul(pair(pair));
    }

    /** The sum of both shorts of each lane. */
    static IntVector pairSums(ShortVector v) {
        IntVector both = v.reinterpretAsInts();
        return both.lanewise(VectorOperators.LSHL, 16)
                .lanewise(VectorOperators.ASHR, 16)
                .add(both.lanewise(VectorOperators.ASHR, 16));
    }

    /** Stores integers as floats. */
    static void storeAsFloats(IntVector v, long address) {
        store(toFloats(v), address);
    }

    /** Copies the first {@code count} floats of a vector, or all. */
    static void copy(long from, long to, int count) {
        if (count >= COUNT) {
            store(floats(from), to);
            return;
        }
        for (int i = 0; i < count; i++) {
            Memory.setFloat(to + 4L * i, Memory.getFloat(from + 4L * i));
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
