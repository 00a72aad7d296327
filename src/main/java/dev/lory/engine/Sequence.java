package dev.lory.engine;

import dev.lory.adapter.AdapterSet;
import dev.lory.sampling.SamplerState;
import dev.lory.sampling.SamplingParams;
import dev.lory.xlora.XLoraRun;
import dev.lory.xlora.XLoraScalings;
import java.util.Arrays;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** One sequence: its tokens so far and how to go on. Belongs to the engine's thread but for {@link #cancel}. */
public final class Sequence {
    /** Where a sequence is. */
    enum State {
        WAITING,
        RUNNING,
        FINISHED
    }

    final AdapterSet adapters;
    /** What its adapters count, token by token. */
    final Gates gates;

    private final @Nullable XLoraRun xlora;
    private final Pass[] passes;
    final SamplingParams params;
    final SamplerState sampling;
    final TokenSink sink;
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
        this(prompt, maxLength, adapters, null, params, endTokens, seed, vocabSize, sink);
    }

    /** As the other, with an X-LoRA. */
    public Sequence(
            int[] prompt,
            int maxLength,
            XLoraRun xlora,
            SamplingParams params,
            int[] endTokens,
            long seed,
            int vocabSize,
            TokenSink sink) {
        this(prompt, maxLength, xlora.main(), xlora, params, endTokens, seed, vocabSize, sink);
    }

    private Sequence(
            int[] prompt,
            int maxLength,
            AdapterSet adapters,
            @Nullable XLoraRun xlora,
            SamplingParams params,
            int[] endTokens,
            long seed,
            int vocabSize,
            TokenSink sink) {
        this.adapters = adapters;
        this.xlora = xlora;
        this.gates = xlora == null ? Gates.constant() : Gates.of(xlora, prompt.length);
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
        Pass main = new Pass(this, adapters, false);
        this.passes = xlora == null ? new Pass[] {main} : new Pass[] {main, new Pass(this, xlora.scaling(), true)};
    }

    /** Stops the sequence at the next step. Any thread may call. */
    public void cancel() {
        cancelled = true;
    }

    /** Whether it needs no more than the next token to be computed, rather than a prompt, or all of it anew. */
    boolean isAnswering() {
        for (Pass pass : passes) {
            if (pass.ready() > 1) {
                return false;
            }
        }
        return generated() > 0;
    }

    /** How often each of its tokens is computed. */
    int passes() {
        return passes.length;
    }

    /** The first is the main one. */
    Pass pass(int i) {
        return passes[i];
    }

    XLoraRun xlora() {
        return Objects.requireNonNull(xlora);
    }

    boolean isTraced() {
        return xlora != null && xlora.traced();
    }

    /** What its adapters counted for each token that was computed; once it has ended. Any thread may call. */
    public XLoraScalings scalings() {
        return xlora().weights().scalings(gates.of(length - 1));
    }

    /** Takes over what the pool has of its tokens; for a sequence that has nothing there yet. @return tokens found for the main pass */
    int reuse(BlockPool pool) {
        int found = passes[0].reuse(pool, gates.freeze());
        if (passes.length > 1) {
            int known = gates.resume(found);
            if (!gates.isSettled()) {
                passes[1].reuse(pool, known + 1);
            }
        }
        return found;
    }

    /** Goes over to other rotary angles, if its length asks for them. @return whether everything is to be computed anew */
    boolean rotate(BlockPool pool, int wanted) {
        boolean rotated = false;
        for (Pass pass : passes) {
            rotated |= pass.rotate(pool, wanted);
        }
        if (rotated) {
            gates.forget();
        }
        return rotated;
    }

    /** Gives all blocks back; it starts anew. */
    void release(BlockPool pool) {
        for (Pass pass : passes) {
            pass.release(pool);
        }
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
