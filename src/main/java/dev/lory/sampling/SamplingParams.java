package dev.lory.sampling;

import static dev.lory.error.ServiceException.invalid;

import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.OptionalLong;

/**
 * How the tokens of one sequence are chosen; names, meaning and bounds as in vLLM's {@code SamplingParams}.
 *
 * @param maxTokens tokens to generate at most; empty = what is left of the context
 * @param minTokens no end token, stop token or stop string before this many
 * @param temperature logits are divided by it; 0 = greedy
 * @param topK only the k likeliest tokens; 0 = all
 * @param topP only the smallest set of likeliest tokens with at least this probability
 * @param minP only tokens at least this likely relative to the likeliest
 * @param repetitionPenalty divides positive, multiplies negative logits of tokens in prompt or output (arXiv:1909.05858)
 * @param presencePenalty is subtracted from logits of tokens in the output
 * @param frequencyPenalty is subtracted for each time a token is in the output
 * @param logitBias is added to logits before anything else but the penalties
 * @param seed makes the draws repeatable
 * @param stop strings that end the text; up to 16, none empty
 * @param stopTokenIds tokens that end the sequence besides the model's end tokens
 * @param ignoreEos go on past the model's end tokens
 * @param includeStop keep the stop string in the text
 * @param skipSpecialTokens leave special tokens out of the text
 * @param logprobs log-probabilities of this many likeliest tokens with each token; -1 = the whole vocabulary; empty = none
 * @param promptLogprobs the same for each token of the prompt but the first
 */
public record SamplingParams(
        OptionalInt maxTokens,
        int minTokens,
        float temperature,
        int topK,
        float topP,
        float minP,
        float repetitionPenalty,
        float presencePenalty,
        float frequencyPenalty,
        Map<Integer, Float> logitBias,
        OptionalLong seed,
        List<String> stop,
        List<Integer> stopTokenIds,
        boolean ignoreEos,
        boolean includeStop,
        boolean skipSpecialTokens,
        OptionalInt logprobs,
        OptionalInt promptLogprobs) {

    /** What a request that says nothing gets. */
    public static final SamplingParams DEFAULT = builder().build();

    public SamplingParams {
        if (maxTokens.isPresent() && maxTokens.getAsInt() < 0) {
            throw invalid("max_tokens", "max_tokens must be at least 0 but is " + maxTokens.getAsInt());
        }
        if (minTokens < 0) {
            throw invalid("min_tokens", "min_tokens must be at least 0 but is " + minTokens);
        }
        within("temperature", temperature, 0, 100);
        if (topK < 0) {
            throw invalid("top_k", "top_k must be at least 0 (0 = all) but is " + topK);
        }
        if (!(topP > 0 && topP <= 1)) {
            throw invalid("top_p", "top_p must be above 0 and at most 1 but is " + topP);
        }
        within("min_p", minP, 0, 1);
        if (!(repetitionPenalty > 0 && repetitionPenalty <= 100)) {
            throw invalid(
                    "repetition_penalty",
                    "repetition_penalty must be above 0 and at most 100 but is " + repetitionPenalty);
        }
        within("presence_penalty", presencePenalty, -2, 2);
        within("frequency_penalty", frequencyPenalty, -2, 2);
        logitBias = Map.copyOf(logitBias);
        logitBias.forEach((id, bias) -> within("logit_bias", bias, -100, 100));
        stop = List.copyOf(stop);
        if (stop.size() > 16 || stop.contains("")) {
            throw invalid("stop", "stop takes up to 16 strings, none of them empty");
        }
        stopTokenIds = List.copyOf(stopTokenIds);
        atLeast("logprobs", logprobs);
        atLeast("prompt_logprobs", promptLogprobs);
    }

    private static void within(String name, float value, float low, float high) {
        if (!(value >= low && value <= high)) {
            throw invalid(name, name + " must be between " + low + " and " + high + " but is " + value);
        }
    }

    private static void atLeast(String name, OptionalInt value) {
        if (value.isPresent() && value.getAsInt() < -1) {
            throw invalid(
                    name, name + " must be at least 0, or -1 for the whole vocabulary, but is " + value.getAsInt());
        }
    }

    public boolean isGreedy() {
        return temperature == 0;
    }

    public static Builder builder() {
        return new Builder();
    }

    /** Greedy decoding of at most {@code maxTokens} tokens. */
    public static SamplingParams greedy(int maxTokens) {
        return builder().temperature(0).maxTokens(maxTokens).build();
    }

    /** Sets what differs from the defaults; {@link #build} checks the bounds. */
    public static final class Builder {
        private OptionalInt maxTokens = OptionalInt.empty();
        private int minTokens;
        private float temperature = 1;
        private int topK;
        private float topP = 1;
        private float minP;
        private float repetitionPenalty = 1;
        private float presencePenalty;
        private float frequencyPenalty;
        private Map<Integer, Float> logitBias = Map.of();
        private OptionalLong seed = OptionalLong.empty();
        private List<String> stop = List.of();
        private List<Integer> stopTokenIds = List.of();
        private boolean ignoreEos;
        private boolean includeStop;
        private boolean skipSpecialTokens = true;
        private OptionalInt logprobs = OptionalInt.empty();
        private OptionalInt promptLogprobs = OptionalInt.empty();

        private Builder() {}

        public Builder maxTokens(int value) {
            maxTokens = OptionalInt.of(value);
            return this;
        }

        public Builder minTokens(int value) {
            minTokens = value;
            return this;
        }

        public Builder temperature(float value) {
            temperature = value;
            return this;
        }

        public Builder topK(int value) {
            topK = value;
            return this;
        }

        public Builder topP(float value) {
            topP = value;
            return this;
        }

        public Builder minP(float value) {
            minP = value;
            return this;
        }

        public Builder repetitionPenalty(float value) {
            repetitionPenalty = value;
            return this;
        }

        public Builder presencePenalty(float value) {
            presencePenalty = value;
            return this;
        }

        public Builder frequencyPenalty(float value) {
            frequencyPenalty = value;
            return this;
        }

        public Builder logitBias(Map<Integer, Float> value) {
            logitBias = value;
            return this;
        }

        public Builder seed(long value) {
            seed = OptionalLong.of(value);
            return this;
        }

        public Builder stop(List<String> value) {
            stop = value;
            return this;
        }

        public Builder stopTokenIds(List<Integer> value) {
            stopTokenIds = value;
            return this;
        }

        public Builder ignoreEos(boolean value) {
            ignoreEos = value;
            return this;
        }

        public Builder includeStop(boolean value) {
            includeStop = value;
            return this;
        }

        public Builder skipSpecialTokens(boolean value) {
            skipSpecialTokens = value;
            return this;
        }

        public Builder logprobs(int value) {
            logprobs = OptionalInt.of(value);
            return this;
        }

        public Builder promptLogprobs(int value) {
            promptLogprobs = OptionalInt.of(value);
            return this;
        }

        /** @throws dev.lory.error.ServiceException {@code INVALID_REQUEST} naming the first parameter out of bounds */
        public SamplingParams build() {
            return new SamplingParams(
                    maxTokens,
                    minTokens,
                    temperature,
                    topK,
                    topP,
                    minP,
                    repetitionPenalty,
                    presencePenalty,
                    frequencyPenalty,
                    logitBias,
                    seed,
                    stop,
                    stopTokenIds,
                    ignoreEos,
                    includeStop,
                    skipSpecialTokens,
                    logprobs,
                    promptLogprobs);
        }
    }
}
