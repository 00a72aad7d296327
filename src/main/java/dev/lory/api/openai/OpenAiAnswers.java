package dev.lory.api.openai;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.lory.error.ErrorCode;
import dev.lory.error.ServiceException;
import dev.lory.worker.Worker;
import java.time.Duration;

/** Answers in one piece; for requests without {@code stream}, and for batch files, which need no server. */
public final class OpenAiAnswers {
    private static final Duration PATIENCE = Duration.ofHours(1);

    private OpenAiAnswers() {}

    /**
     * Answers a request.
     *
     * @param url {@code /v1/chat/completions} or {@code /v1/completions}
     * @param id unique
     * @throws ServiceException as {@link OpenAiRequest#parse} and {@link Worker#generate}; {@code NOT_FOUND} for another URL
     */
    public static ObjectNode answer(String url, JsonNode body, Worker worker, Served served, String id) {
        Endpoint endpoint = switch (url) {
            case "/v1/chat/completions" -> Endpoint.CHAT;
            case "/v1/completions" -> Endpoint.COMPLETIONS;
            default ->
                throw new ServiceException(
                        ErrorCode.NOT_FOUND,
                        "there is nothing at " + url + "; /v1/chat/completions and /v1/completions are there");
        };
        OpenAiRequest request = OpenAiRequest.parse(endpoint, body, served, id);
        try (Generations generations = new Generations(worker, request.choices())) {
            return answer(endpoint.answers(request, worker.vocabulary()), generations);
        }
    }

    /** Waits for all choices, or until they are closed. */
    static ObjectNode answer(AnswerForm form, Generations generations) {
        try {
            while (generations.isOpen()) {
                if (generations.next(PATIENCE).isEmpty() && generations.isOpen()) {
                    throw new ServiceException(ErrorCode.UNAVAILABLE, "no token for " + PATIENCE);
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ServiceException(ErrorCode.UNAVAILABLE, "the request was interrupted", e);
        }
        return form.whole(generations.choices());
    }
}
