package dev.lory.engine;

import dev.lory.adapter.AdapterSet;
import dev.lory.sampling.SamplerState;
import dev.lory.sampling.SamplingParams;
import java.util.Arrays;

/** One sequence: its tokens so far and how to go on. Belongs to the engine's thread but for {@link #cancel}. */
public final class Sequence {
    /** Where a sequence is. */
    enum State {
        WAITING,
        RUNNING,
        FINISHED
    }

    final AdapterSet adapters;
    final SamplingParams params;
    final SamplerState sampling;
    final TokenSink sink;
    final Pass main;
    final int promptLength;
    final int maxLength;
    private final int[] endTokens;
    private int[] tokens;
    private int length;
    /** Prompt tokens up to here have been scored; recomputing does not score them again. */
    int scored;

    boolean started;
    State state = State.WAITING;
    private volatile boolean cancelled;

    /**
     * @param maxLength tokens of prompt and output together at most; no output if it is the prompt's length
     * @param endTokens end the sequence; they are delivered
     * @param seed for draws, if the parameters name none
     */
    public Sequence(
            int[] prompt,
            int maxLength,
            AdapterSet adapters,
            SamplingParams params,
            int[] endTokens,
            long seed,
            int vocabSize,
            TokenSink sink) {
        this.adapters = adapters;
        this.params = params;
        this.sink = sink;
        this.promptLength = prompt.length;
        this.maxLength = maxLength;
        this.endTokens = endTokens.clone();
        this.tokens = Arrays.copyOf(prompt, Math.min(maxLength, prompt.length + 256));
        this.length = prompt.length;
        this.scored = params.promptLogprobs().isPresent() ? 0 : prompt.length;
        this.sampling = new SamplerState(params, seed, vocabSize, endTokens);
        for (int token : prompt) {
            sampling.seenInPrompt(token);
        }
        this.main = new Pass(this, adapters.key());
    }

    /** Stops the sequence at the next step. Any thread may call. */
    public void cancel() {
        cancelled = true;
    }

    boolean isCancelled() {
        return cancelled;
    }

    int[] tokens() {
        return tokens;
    }

    /** Tokens of prompt and output so far. */
    int length() {
        return length;
    }

    int generated() {
        return length - promptLength;
    }

    boolean isEnd(int token) {
        for (int end : endTokens) {
            if (end == token) {
                return true;
            }
        }
        return false;
    }

    void append(int token) {
        if (length == tokens.length) {
            tokens = Arrays.copyOf(tokens, Math.min(maxLength, 2 * length));
        }
        tokens[length++] = token;
        sampling.generated(token);
    }
}
