package dev.lory.engine;

import dev.lory.error.ServiceException;

/** Where the tokens of a sequence go. Called on the engine's thread: must not block, and in the common case not allocate. */
public interface TokenSink {
    /** The prompt is about to be computed. @param cachedTokens of it that were there already; the first call counts */
    void started(int cachedTokens);

    /**
     * The logits that predict a token of the prompt; only if prompt log-probabilities were asked for.
     *
     * @param position of the predicted token, from 1 on
     * @param top ids of the likeliest tokens, best first
     */
    void prompt(int position, float logprob, int[] top, float[] topLogprobs);

    /** A new token. */
    void token(int id);

    /** A new token with its log-probability and the likeliest ones, best first. */
    void token(int id, float logprob, int[] top, float[] topLogprobs);

    /** The end; nothing follows, and nothing of the sequence is used any more. */
    void finished(Ending ending);

    /** The end, by a failure; nothing follows. */
    void failed(ServiceException failure);

    /** How a sequence ended. */
    enum Ending {
        /** By an end token. */
        STOPPED,
        /** By length. */
        FULL,
        /** By {@link Sequence#cancel}. */
        CANCELLED
    }
}
