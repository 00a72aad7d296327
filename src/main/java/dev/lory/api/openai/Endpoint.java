package dev.lory.api.openai;

import com.fasterxml.jackson.databind.JsonNode;
import dev.lory.worker.Vocabulary;

/** What a request asks for: the answer to a conversation, or how a text goes on. */
public enum Endpoint implements Dialect {
    /** {@code /v1/chat/completions}. */
    CHAT("chatcmpl-", "chat.completion", true),
    /** {@code /v1/completions}. */
    COMPLETIONS("cmpl-", "text_completion", false),
    /** A text to go on from, in the words of a dialect. */
    GENERATE("gen-", "text_completion", true);

    private final String idPrefix;
    private final String object;
    private final boolean toTheEnd;

    Endpoint(String idPrefix, String object, boolean toTheEnd) {
        this.idPrefix = idPrefix;
        this.object = object;
        this.toTheEnd = toTheEnd;
    }

    @Override
    public OpenAiRequest read(JsonNode body, Served served, String id) {
        return OpenAiRequest.parse(this, body, served, id);
    }

    @Override
    public AnswerForm answers(OpenAiRequest request, Vocabulary vocabulary) {
        return new AnswerWriter(request, vocabulary);
    }

    String idPrefix() {
        return idPrefix;
    }

    /** Whether it goes on to the end of the text if {@code max_tokens} is not named; else for 16 tokens, as with OpenAI and vLLM. */
    boolean toTheEnd() {
        return toTheEnd;
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
