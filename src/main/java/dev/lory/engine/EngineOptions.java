package dev.lory.engine;

/**
 * The size of an engine.
 *
 * @param maxNumSeqs sequences that run at the same time
 * @param maxWaiting sequences that may wait; beyond, {@code OVERLOADED}
 * @param maxNumBatchedTokens rows of a step, at least {@code maxNumSeqs}
 * @param maxStepMillis that a step may take for prompts while others are being answered, if they can be cut so; 0 = any
 * @param kvBlocks blocks of keys and values
 * @param kvBlockSize positions of a block
 */
public record EngineOptions(
        int maxNumSeqs, int maxWaiting, int maxNumBatchedTokens, int maxStepMillis, int kvBlocks, int kvBlockSize) {
    public EngineOptions {
        if (maxNumSeqs < 1 || maxNumBatchedTokens < maxNumSeqs || kvBlocks < 1 || kvBlockSize < 1) {
            throw new IllegalArgumentException("max_num_seqs " + maxNumSeqs + ", max_num_batched_tokens "
                    + maxNumBatchedTokens + ", KV blocks " + kvBlocks + " of " + kvBlockSize);
        }
    }
}
