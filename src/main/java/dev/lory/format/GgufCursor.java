package dev.lory.format;

import dev.lory.tensor.Layouts;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;

/** Reads the front of a GGUF file, from its start on; never past the end, never more than is there. */
final class GgufCursor {
    private final MappedFile file;
    private long position;

    GgufCursor(MappedFile file) {
        this.file = file;
    }

    MappedFile file() {
        return file;
    }

    long position() {
        return position;
    }

    byte u8(String what) {
        return file.bytes().get(ValueLayout.JAVA_BYTE, advance(1, what));
    }

    int u32(String what) {
        return file.bytes().get(Layouts.INT, advance(4, what));
    }

    long u64(String what) {
        return file.bytes().get(Layouts.LONG, advance(8, what));
    }

    short u16(String what) {
        return file.bytes().get(Layouts.SHORT, advance(2, what));
    }

    float f32(String what) {
        return file.bytes().get(Layouts.FLOAT, advance(4, what));
    }

    double f64(String what) {
        return file.bytes().get(Layouts.DOUBLE, advance(8, what));
    }

    /** A count of things that take at least {@code bytesEach} bytes of the rest of the file. */
    int count(String what, int bytesEach) {
        long count = u64(what);
        if (count < 0 || count > (file.size() - position) / bytesEach || count > Integer.MAX_VALUE) {
            throw file.invalid(what + " is " + Long.toUnsignedString(count) + ", more than the "
                    + (file.size() - position) + " bytes that follow can hold");
        }
        return (int) count;
    }

    String string(String what) {
        int length = count("the length of " + what, 1);
        byte[] bytes = file.bytes().asSlice(advance(length, what), length).toArray(ValueLayout.JAVA_BYTE);
        return new String(bytes, StandardCharsets.UTF_8);
    }

    private long advance(long bytes, String what) {
        if (bytes > file.size() - position) {
            throw file.invalid("ends inside " + what + ", at byte " + file.size());
        }
        long at = position;
        position += bytes;
        return at;
    }
}
