package dev.lory.api.openai;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.lory.error.ErrorCode;
import dev.lory.error.ServiceException;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** Errors as OpenAI's clients expect them: {@code {"error": {message, type, param, code}}}, param being null where no field is wrong. */
public final class OpenAiError {
    private OpenAiError() {}

    /** The error's JSON. */
    public static ObjectNode json(ServiceException error, int status) {
        Object param = error.members().get("param");
        ObjectNode node = JsonNodeFactory.instance.objectNode();
        node.putObject("error")
                .put("message", error.detail())
                .put("type", type(status))
                .put("param", text(param))
                .put("code", error.code().name().toLowerCase(Locale.ROOT));
        return node;
    }

    private static @Nullable String text(@Nullable Object value) {
        return value == null ? null : value.toString();
    }

    /** The response that tells it. */
    public static Response of(ServiceException error, int status) {
        Response.ResponseBuilder response =
                Response.status(status).type(MediaType.APPLICATION_JSON_TYPE).entity(json(error, status));
        if (error.code().kind() == ErrorCode.Kind.CAPACITY || error.code().kind() == ErrorCode.Kind.UNAVAILABLE) {
            response.header("Retry-After", error.members().getOrDefault("retry_after", 1));
        }
        return response.build();
    }

    private static String type(int status) {
        return switch (status) {
            case 401 -> "authentication_error";
            case 403 -> "permission_error";
            case 404 -> "not_found_error";
            case 429 -> "rate_limit_error";
            case 503 -> "unavailable_error";
            default -> status < 500 || status == 501 ? "invalid_request_error" : "server_error";
        };
    }
}
