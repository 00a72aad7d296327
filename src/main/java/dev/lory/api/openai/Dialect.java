package dev.lory.api.openai;

import com.fasterxml.jackson.databind.JsonNode;
import dev.lory.error.ServiceException;
import dev.lory.worker.Vocabulary;

/** One way to ask for text, and to tell it. */
public interface Dialect {
    /**
     * What a body asks for.
     *
     * @param id unique
     * @throws ServiceException as {@link OpenAiRequest#parse}
     */
    OpenAiRequest read(JsonNode body, Served served, String id);

    /** How the answers to a request are written; for one request. */
    AnswerForm answers(OpenAiRequest request, Vocabulary vocabulary);
}
