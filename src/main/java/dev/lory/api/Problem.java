package dev.lory.api;

import com.fasterxml.jackson.annotation.JsonAnyGetter;
import dev.lory.error.ErrorCode;
import dev.lory.error.ServiceException;
import jakarta.ws.rs.core.Response;
import java.util.Locale;
import java.util.Map;
import org.eclipse.microprofile.openapi.annotations.media.Schema;

/**
 * An error as RFC 9457 has it.
 *
 * @param title the status in words
 * @param detail what happened, in one sentence
 * @param code stable, for programs
 * @param members further facts, such as {@code findings}; members of the same JSON object
 */
@Schema(description = "An error as RFC 9457 has it; some have further members, such as findings")
public record Problem(
        String type,
        String title,
        int status,
        String detail,
        String code,
        @Schema(hidden = true) @JsonAnyGetter Map<String, Object> members) {
    /** Media type of {@link Problem}. */
    public static final String MEDIA_TYPE = "application/problem+json";

    public Problem {
        members = Map.copyOf(members);
    }

    /** The response that tells it. A conflict says so to clients that would try the same again by themselves. */
    static Response of(ServiceException error, int status) {
        Response.StatusType type = Response.Status.fromStatusCode(status);
        Problem problem = new Problem(
                "about:blank",
                type == null ? "Error" : type.getReasonPhrase(),
                status,
                error.detail(),
                error.code().name().toLowerCase(Locale.ROOT),
                error.members());
        Response.ResponseBuilder response =
                Response.status(status).type(MEDIA_TYPE).entity(problem);
        if (error.code().kind() == ErrorCode.Kind.CONFLICT) {
            response.header("X-Should-Retry", "false");
        }
        if (status == 429 || status == 503) {
            response.header("Retry-After", "1");
        }
        return response.build();
    }
}
