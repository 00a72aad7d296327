package dev.lory.registry;

import com.fasterxml.jackson.annotation.JsonProperty;

/**
 * What requests took together.
 *
 * @param promptTokens of all prompts
 * @param completionTokens generated
 * @param cachedTokens of {@code promptTokens} those that were not computed again
 */
public record UsageSum(
        long requests,
        @JsonProperty("prompt_tokens") long promptTokens,
        @JsonProperty("completion_tokens") long completionTokens,
        @JsonProperty("cached_tokens") long cachedTokens) {
    public static final UsageSum NONE = new UsageSum(0, 0, 0, 0);

    /** Both together. */
    public UsageSum plus(UsageSum other) {
        return new UsageSum(
                requests + other.requests,
                promptTokens + other.promptTokens,
                completionTokens + other.completionTokens,
                cachedTokens + other.cachedTokens);
    }
}
