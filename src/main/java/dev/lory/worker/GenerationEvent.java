package dev.lory.worker;

import java.util.List;

/** What a generation tells its reader. */
public sealed interface GenerationEvent {
    /**
     * Once, before the first delta, where {@code promptLogprobs} were asked for.
     *
     * @param tokens one entry for each token of the prompt; the first has no log-probability (NaN)
     */
    record PromptScored(List<Token> tokens) implements GenerationEvent {
        public PromptScored {
            tokens = List.copyOf(tokens);
        }
    }

    /**
     * New text and the tokens behind it; text may lag behind tokens while a character is incomplete or a stop string may be under way.
     */
    record Delta(String text, List<Token> tokens) implements GenerationEvent {
        public Delta {
            tokens = List.copyOf(tokens);
        }
    }

    /** The end. */
    record Finished(Reason reason, Usage usage, List<UsedAdapter> adapters) implements GenerationEvent {
        public Finished {
            adapters = List.copyOf(adapters);
        }
    }

    /** Why a generation ended. */
    enum Reason {
        /** An end token or a stop token. */
        STOP,
        /** A stop string. */
        STOP_STRING,
        /** {@code max_tokens}, or the context is full. */
        LENGTH
    }

    /** An adapter the sequence ran with; digest in hex. */
    record UsedAdapter(String name, String digest, float weight) {}

    /** @param cachedTokens tokens of the prompt whose keys and values were there already */
    record Usage(int promptTokens, int completionTokens, int cachedTokens) {}

    /**
     * A token with its log-probability.
     *
     * @param logprob natural logarithm, of the model's distribution before temperature and filters; NaN if not asked for
     * @param top the likeliest tokens, best first, as many as asked for
     */
    record Token(int id, float logprob, List<Candidate> top) {
        public Token {
            top = List.copyOf(top);
        }
    }

    /** A token that might have been. */
    record Candidate(int id, float logprob) {}
}
