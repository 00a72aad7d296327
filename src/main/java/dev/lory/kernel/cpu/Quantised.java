package dev.lory.kernel.cpu;

/** Activations in int8 with a scale for each 32 columns, and what the kernels derive from them; sized for the largest step so far. */
final class Quantised implements AutoCloseable {
    private final Scratch memory = new Scratch();
    private final boolean forVectors;
    int rows;
    int cols;
    /** int8 {@code [rows][cols]}. */
    long x;
    /** {@code [rows][cols/32]}. */
    long scales;
    /** int32 {@code [rows][cols/32][2]}: the sum of x, and that of the first 16. */
    long sums;
    /** scale · sum, {@code [rows][cols/32]}. */
    long scaledSums;
    /** The same int8 as pairs of shorts (k, k+2), (k+1, k+3) for each 4 columns; for the Vector API kernels only. */
    long pairs;
    /** The same int8 as floats; for the Vector API kernels only. */
    long floats;

    Quantised(boolean forVectors) {
        this.forVectors = forVectors;
    }

    void shape(int newRows, int newCols) {
        rows = newRows;
        cols = newCols;
        long elements = (long) rows * cols;
        long perBlock = (elements / 8 + 63) / 64 * 64;
        long padded = (elements + 63) / 64 * 64;
        x = memory.ensure(padded + 4 * perBlock + (forVectors ? 6 * padded : 0));
        scales = x + padded;
        sums = scales + perBlock;
        scaledSums = sums + 2 * perBlock;
        pairs = scaledSums + perBlock;
        floats = pairs + 2 * padded;
    }

    boolean forVectors() {
        return forVectors;
    }

    @Override
    public void close() {
        memory.close();
    }
}
