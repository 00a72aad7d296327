package dev.lory.api;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.lory.api.openai.OpenAiError;
import dev.lory.error.ErrorCode;
import dev.lory.error.ServiceException;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;

/** How an error looks to a client. */
public enum Envelope {
    /** RFC 9457. */
    PROBLEM,
    /** As OpenAI and vLLM have it. */
    OPENAI,
    /** As llama.cpp has it: {@code {"error": {"code": 400, "message", "type"}}}. */
    LLAMA_CPP,
    /** As text-generation-inference and LoRAX have it: {@code {"error", "error_type"}}. */
    TGI;

    /** The error's JSON; not for {@link #PROBLEM}, which has a media type of its own. */
    public ObjectNode json(ServiceException error) {
        return json(error, Statuses.of(error.code()));
    }

    private ObjectNode json(ServiceException error, int status) {
        ObjectNode openAi = OpenAiError.json(error, status);
        return switch (this) {
            case PROBLEM, OPENAI -> openAi;
            case LLAMA_CPP -> {
                ObjectNode node = JsonNodeFactory.instance.objectNode();
                node.putObject("error")
                        .put("code", status)
                        .put("message", error.detail())
                        .put("type", openAi.path("error").path("type").asText());
                yield node;
            }
            case TGI ->
                JsonNodeFactory.instance
                        .objectNode()
                        .put("error", error.detail())
                        .put("error_type", type(tgiStatus(error, status)));
        };
    }

    /** The response that tells an error. */
    Response of(ServiceException error, int status) {
        if (this == PROBLEM) {
            return Problem.of(error, status);
        }
        return Response.fromResponse(OpenAiError.of(error, status))
                .status(this == TGI ? tgiStatus(error, status) : status)
                .type(MediaType.APPLICATION_JSON_TYPE)
                .entity(json(error, status))
                .build();
    }

    /** What a request says wrong is 422 there, and what fails while generating 424. */
    private static int tgiStatus(ServiceException error, int status) {
        return error.code().kind() == ErrorCode.Kind.USER ? 422 : status == 500 ? 424 : status;
    }

    private static String type(int status) {
        return switch (status) {
            case 401 -> "authentication";
            case 404 -> "not_found";
            case 424 -> "generation";
            case 429 -> "overloaded";
            case 503 -> "unavailable";
            default -> "validation";
        };
    }
}
