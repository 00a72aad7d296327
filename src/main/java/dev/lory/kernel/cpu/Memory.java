package dev.lory.kernel.cpu;

import dev.lory.error.ErrorCode;
import dev.lory.error.ServiceException;
import dev.lory.tensor.Layouts;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/**
 * Memory by address. Kernels of both kinds take plain addresses: a segment for each would cost an allocation in a step, and
 * an atomic count on its arena in every native call. Only memory that the backend owns is touched this way.
 */
final class Memory {
    /** All of it; an address is an offset here. */
    static final MemorySegment ALL = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);

    private static final int ALIGNMENT = 64;
    private static final MethodHandle CALLOC = function(
            "calloc", FunctionDescriptor.of(ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG));
    private static final MethodHandle FREE = function("free", FunctionDescriptor.ofVoid(ValueLayout.JAVA_LONG));

    private Memory() {}

    /** A function of the C library. */
    static MethodHandle function(String name, FunctionDescriptor type) {
        Linker linker = Linker.nativeLinker();
        return linker.downcallHandle(linker.defaultLookup().findOrThrow(name), type);
    }

    /**
     * Zeroed memory that starts at a multiple of 64. Pages of a large area are committed when they are first written,
     * unlike those of an arena, which clears them itself.
     *
     * @throws ServiceException {@code UNAVAILABLE} if there is none
     */
    static Area allocate(long bytes) {
        try {
            // the kernels may load one vector beyond the end
            long raw = (long) CALLOC.invokeExact(1L, bytes + 2 * ALIGNMENT);
            if (raw == 0) {
                throw new ServiceException(ErrorCode.UNAVAILABLE, "there is no memory for " + bytes + " bytes");
            }
            return new Area((raw + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT, bytes, () -> free(raw));
        } catch (ServiceException e) {
            throw e;
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
    }

    private static void free(long raw) {
        try {
            FREE.invokeExact(raw);
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
    }

    /** Memory to be given back once, with {@link #free}. */
    record Area(long address, long bytes, Runnable release) {
        void free() {
            release.run();
        }
    }

    static int getInt(long address) {
        return ALL.get(Layouts.INT, address);
    }

    static void setInt(long address, int value) {
        ALL.set(Layouts.INT, address, value);
    }

    static float getFloat(long address) {
        return ALL.get(Layouts.FLOAT, address);
    }

    static void setFloat(long address, float value) {
        ALL.set(Layouts.FLOAT, address, value);
    }

    static short getShort(long address) {
        return ALL.get(Layouts.SHORT, address);
    }

    /** A half as a float. */
    static float getHalf(long address) {
        return Float.float16ToFloat(getShort(address));
    }

    static void setShort(long address, short value) {
        ALL.set(Layouts.SHORT, address, value);
    }

    static byte getByte(long address) {
        return ALL.get(ValueLayout.JAVA_BYTE, address);
    }

    static void setByte(long address, byte value) {
        ALL.set(ValueLayout.JAVA_BYTE, address, value);
    }
}
