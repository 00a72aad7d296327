package dev.lory.tensor;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** The parts that blocks are made of. */
final class Bits {
    private Bits() {}

    static float half(MemorySegment storage, long offset) {
        return Float.float16ToFloat(storage.get(Layouts.SHORT, offset));
    }

    static int unsigned(MemorySegment storage, long offset) {
        return storage.get(ValueLayout.JAVA_BYTE, offset) & 255;
    }
}
