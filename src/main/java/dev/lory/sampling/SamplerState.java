package dev.lory.sampling;

import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What sampling remembers of one sequence: its parameters, seed, and, where penalties need them, the tokens seen. */
public final class SamplerState {
    final SamplingParams params;
    final long seed;
    final int[] biasIds;
    final float[] biases;
    final int[] endTokens;
    private final @Nullable Counts counts;

    /**
     * @param seed used if the parameters name none
     * @param endTokens not to be drawn before {@code min_tokens}
     */
    public SamplerState(SamplingParams params, long seed, int vocabSize, int[] endTokens) {
        this.params = params;
        this.seed = params.seed().orElse(seed);
        this.endTokens = endTokens.clone();
        biasIds = new int[params.logitBias().size()];
        biases = new float[biasIds.length];
        int i = 0;
        for (Map.Entry<Integer, Float> bias : params.logitBias().entrySet()) {
            biasIds[i] = bias.getKey();
            biases[i++] = bias.getValue();
        }
        boolean penalised =
                params.repetitionPenalty() != 1 || params.presencePenalty() != 0 || params.frequencyPenalty() != 0;
        counts = penalised ? new Counts(new int[vocabSize], new boolean[vocabSize]) : null;
    }

    @SuppressWarnings("ArrayRecordComponent") // private to this file, never compared
    private record Counts(int[] output, boolean[] seen) {}

    /** A token of the prompt. */
    public void seenInPrompt(int token) {
        if (counts != null) {
            counts.seen[token] = true;
        }
    }

    /** A token of the output. */
    public void generated(int token) {
        if (counts != null) {
            counts.seen[token] = true;
            counts.output[token]++;
        }
    }

    void penalise(float[] logits) {
        Counts seen = counts;
        if (seen == null) {
            return;
        }
        for (int token = 0; token < logits.length; token++) {
            if (seen.seen[token]) {
                float x = logits[token];
                x = x > 0 ? x / params.repetitionPenalty() : x * params.repetitionPenalty();
                int times = seen.output[token];
                if (times > 0) {
                    x -= params.frequencyPenalty() * times + params.presencePenalty();
                }
                logits[token] = x;
            }
        }
    }
}
