package dev.lory.engine;

/** Figures of an engine: written by its thread after each step, read by any. */
public final class EngineStats {
    volatile int running;
    volatile int waiting;
    volatile int usedBlocks;
    volatile long promptTokens;
    volatile long cachedTokens;
    volatile long generatedTokens;
    volatile long preemptions;
    volatile long steps;
    final Tally stepAdapters = new Tally(0, 1, 2, 4, 8, 16, 32, 64);

    EngineStats() {}

    public int running() {
        return running;
    }

    public int waiting() {
        return waiting;
    }

    /** KV blocks that a sequence holds. */
    public int usedBlocks() {
        return usedBlocks;
    }

    /** Tokens of admitted prompts. */
    public long promptTokens() {
        return promptTokens;
    }

    /** Of these, tokens whose keys and values were there already. */
    public long cachedTokens() {
        return cachedTokens;
    }

    public long generatedTokens() {
        return generatedTokens;
    }

    public long preemptions() {
        return preemptions;
    }

    public long steps() {
        return steps;
    }

    /** How many adapters the rows of a step ran with together. */
    public Tally stepAdapters() {
        return stepAdapters;
    }
}
