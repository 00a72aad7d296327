package dev.lory.kernel.cpu;

import dev.lory.tensor.DType;

/**
 * How a weight lies in memory: groups of 16 rows side by side, so that a vector lane is a row. A quantised block holds
 * 32 columns of a group: 16 half scales d, for some forms 16 half minima m, then 64-byte lines of 4 bytes from each row.
 * The quants are unsigned; a value is d·(q − bias) + m.
 *
 * <p>A block of the K forms holds 256 columns: 16 half d, 16 half m, for each 32 columns 16 pairs of bytes, then the lines of all. Of a pair
 * in {@link #Q4_K} and {@link #Q5_K} the low byte is the scale s and the high one the minimum n, both below 64, and a value is d·s·q + m·n; in
 * {@link #Q6_K} they are the signed scales of the first and the last 16 columns, and a value is d·s·(q − bias).
 */
enum Form {
    /** A line j holds columns 4j..4j+3 in its low and 4j+16..4j+19 in its high nibbles. */
    Q4_0(true, 0, 288, 32, 8),
    /** As {@link #Q4_0}, with minima instead of a bias. */
    Q4_1(true, 1, 320, 64, 0),
    /** A line j holds columns 4j..4j+3, stored + 128. */
    Q8_0(true, 2, 544, 32, 128),
    /** A line j holds columns 4j..4j+3, below 32. */
    Q5_1(true, 3, 576, 64, 0),
    /** Lines as of {@link #Q4_0}. */
    Q4_K(true, 4, 296, 320, 0),
    /** Lines as of {@link #Q5_1}. */
    Q5_K(true, 5, 552, 320, 0),
    /** Lines as of {@link #Q8_0}, of quants from −32 to 31. */
    Q6_K(true, 6, 552, 320, 128),
    /** Column after column, 16 rows each. */
    F32(false, 0, 64, 0, 0),
    F16(false, 1, 32, 0, 0),
    BF16(false, 2, 32, 0, 0);

    /** Where the pairs of bytes begin in a block of a K form, and their size for 32 columns. */
    static final int PAIRS = 64;

    static final int PAIR_BYTES = 32;

    final boolean quantised;
    /** The number of this form in kernels.c. */
    final int id;
    /** Bytes of 32 columns of a group, for the K forms an eighth of a block; of one column for the plain forms. */
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
     * The smallest form that holds every value of the type as the file has it. Q5_0 is Q8_0 with smaller quants, Q3_K is Q6_K with
     * smaller ones. Q2_K becomes F32, with 12.2 times the bytes of the file: no other form has minima of 16 columns.
     */
    static Form of(DType dtype) {
        return switch (dtype) {
            case F16 -> F16;
            case BF16 -> BF16;
            case Q4_0 -> Q4_0;
            case Q4_1 -> Q4_1;
            case Q5_0, Q8_0 -> Q8_0;
            case Q5_1 -> Q5_1;
            case Q4_K -> Q4_K;
            case Q5_K -> Q5_K;
            case Q3_K, Q6_K -> Q6_K;
            case F32, Q2_K -> F32;
        };
    }

    /** The type that this form was made for. */
    DType stored() {
        return switch (this) {
            case F32 -> DType.F32;
            case F16 -> DType.F16;
            case BF16 -> DType.BF16;
            case Q4_0 -> DType.Q4_0;
            case Q4_1 -> DType.Q4_1;
            case Q8_0 -> DType.Q8_0;
            case Q5_1 -> DType.Q5_1;
            case Q4_K -> DType.Q4_K;
            case Q5_K -> DType.Q5_K;
            case Q6_K -> DType.Q6_K;
        };
    }

    /** Whether a block holds 256 columns. */
    boolean ofSuperBlocks() {
        return quants == PAIRS + 8 * PAIR_BYTES;
    }

    /** Whether a line holds nibbles. */
    boolean ofNibbles() {
        return this == Q4_0 || this == Q4_1 || this == Q4_K;
    }

    /** Bytes from the quants of 32 columns to those of the next, in one block for the K forms. */
    int quantStep() {
        return ofSuperBlocks() ? (blockBytes * 8 - quants) / 8 : blockBytes;
    }

    /** Bytes of a group of 16 rows. */
    long groupBytes(int cols) {
        return (long) (quantised ? cols / 32 : cols) * blockBytes;
    }
}
