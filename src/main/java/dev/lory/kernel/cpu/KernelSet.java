package dev.lory.kernel.cpu;

/**
 * The kernels that decide the speed of a step. All arguments are addresses of memory that outlives the call. Each output
 * element is computed by the same operations in the same order whatever the other tokens of the call are.
 */
sealed interface KernelSet permits VectorKernels, NativeKernels {
    /** Instruction set and origin, for the log. */
    String name();

    /**
     * Outputs {@code 16·g0 .. 16·g1} of {@code y[t] = w·x[t]} with x in int8.
     *
     * @param scratch {@link VectorKernels#SCRATCH} bytes of this thread
     */
    void quant(PackedWeight w, Quantised x, long y, int g0, int g1, long scratch);

    /** Outputs {@code 16·g0 .. 16·g1} of a {@link Dense} product. */
    void dense(PackedWeight w, Dense job, int g0, int g1, long scratch);

    /**
     * Attention of the query heads of one kv head, for rows {@code row0 .. row1 - 1} of one sequence.
     *
     * @param table the sequence's blocks as int32
     * @param scores {@link #ATTENTION_TILE} rows of {@link Attention#scoreStride} floats of this thread
     */
    void attention(Attention job, long table, int kvHead, int row0, int row1, long scores, long scratch);

    /**
     * Multiplies and adds from registers, as long as the rounds take, and returns how many products that were.
     *
     * @param room 64 bytes
     */
    long multiply(int rounds, long room);

    /** How many rows of scores an attention kernel needs at most. */
    int ATTENTION_TILE = 6;
}
