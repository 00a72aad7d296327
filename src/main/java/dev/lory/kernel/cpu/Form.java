package dev.lory.kernel.cpu;

import dev.lory.tensor.DType;

/**
 * How a weight lies in memory: groups of 16 rows side by side, so that a vector lane is a row. A quantised block holds
 * 32 columns of a group: 16 half scales d, for Q4_1 16 half minima m, then 64-byte lines of 4 bytes from each row.
 * The quants are unsigned; a value is d·(q − bias) + m.
 */
enum Form {
    /** A line j holds columns 4j..4j+3 in its low and 4j+16..4j+19 in its high nibbles. */
    Q4_0(true, 0, 288, 32, 8),
    /** As {@link #Q4_0}, with minima instead of a bias. */
    Q4_1(true, 1, 320, 64, 0),
    /** A line j holds columns 4j..4j+3, stored + 128. */
    Q8_0(true, 2, 544, 32, 128),
    /** Column after column, 16 rows each. */
    F32(false, 0, 64, 0, 0),
    F16(false, 1, 32, 0, 0),
    BF16(false, 2, 32, 0, 0);

    final boolean quantised;
    /** The number of this form in kernels.c. */
    final int id;
    /** Bytes of one block of a group; of one column for the plain forms. */
    final int blockBytes;
    /** Where the quants begin in a block. */
    final int quants;

    final int bias;

    Form(boolean quantised, int id, int blockBytes, int quants, int bias) {
        this.quantised = quantised;
        this.id = id;
        this.blockBytes = blockBytes;
        this.quants = quants;
        this.bias = bias;
    }

    /**
     * The smallest form that holds every value of the type as the file has it. Q5_0 is Q8_0 with smaller quants (34 bytes
     * where the file has 22). Q5_1 and the K types become F32, with 4.9 to 12.2 times the bytes of the file: no other form
     * has both their minima or their scales of 16 columns and enough bits. Rounding the products d·scale and dmin·min
     * of Q4_K to the halves of Q4_1 would cost 7e-4 of the root mean square (measured on a Q4_K_M model).
     */
    static Form of(DType dtype) {
        return switch (dtype) {
            case F16 -> F16;
            case BF16 -> BF16;
            case Q4_0 -> Q4_0;
            case Q4_1 -> Q4_1;
            case Q5_0, Q8_0 -> Q8_0;
            case F32, Q5_1, Q2_K, Q3_K, Q4_K, Q5_K, Q6_K -> F32;
        };
    }

    /** The type whose bytes of a row are repacked to this form. */
    DType stored() {
        return switch (this) {
            case F32 -> DType.F32;
            case F16 -> DType.F16;
            case BF16 -> DType.BF16;
            case Q4_0 -> DType.Q4_0;
            case Q4_1 -> DType.Q4_1;
            case Q8_0 -> DType.Q8_0;
        };
    }

    /** Bytes of a group of 16 rows. */
    long groupBytes(int cols) {
        return (long) (quantised ? cols / 32 : cols) * blockBytes;
    }
}
