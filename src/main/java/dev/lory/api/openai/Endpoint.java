package dev.lory.api.openai;

/** The two ways to ask for text. */
public enum Endpoint {
    /** {@code /v1/chat/completions}. */
    CHAT("chatcmpl-", "chat.completion"),
    /** {@code /v1/completions}. */
    COMPLETIONS("cmpl-", "text_completion");

    private final String idPrefix;
    private final String object;

    Endpoint(String idPrefix, String object) {
        this.idPrefix = idPrefix;
        this.object = object;
    }

    String idPrefix() {
        return idPrefix;
    }

    /** The {@code object} of an answer. */
    String object() {
        return object;
    }

    /** The {@code object} of a piece of a stream. */
    String chunkObject() {
        return this == CHAT ? "chat.completion.chunk" : object;
    }
}
