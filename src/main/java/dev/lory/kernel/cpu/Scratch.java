package dev.lory.kernel.cpu;

/** An area that grows to the largest size asked for, so that steady steps allocate nothing. Its content is lost when it grows. */
final class Scratch implements AutoCloseable {
    private Memory.Area area = Memory.allocate(64);

    /** The address of at least so many bytes. */
    long ensure(long bytes) {
        if (bytes > area.bytes()) {
            area.free();
            area = Memory.allocate(bytes + bytes / 4);
        }
        return area.address();
    }

    @Override
    public void close() {
        area.free();
    }
}
