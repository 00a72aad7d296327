package dev.lory.kernel.cpu;

/**
 * The operands of {@code y[yRow(e)] (+)= factor[e] · w·x[xRow(e)]} for entries e, in F32. Filled by the calling thread or per thread, then
 * only read. An address of 0 means: none.
 */
final class Dense {
    long x;
    /** int32 row of x for each entry; none: entry e reads row e. */
    long xRows;
    /** Floats from row to row. */
    int xStride;

    long y;
    /** int32 row of y for each entry, to which the result is added; none: row e is overwritten. */
    long yRows;

    int yStride;
    /** A float for each entry; none: 1. */
    long factor;

    int entries;

    long xRow(int entry) {
        return x + 4L * xStride * (xRows == 0 ? entry : Memory.getInt(xRows + 4L * entry));
    }

    long yRow(int entry) {
        return y + 4L * yStride * (yRows == 0 ? entry : Memory.getInt(yRows + 4L * entry));
    }
}
