package dev.lory.api.openai;

import dev.lory.api.ApiKeys;
import io.smallrye.common.annotation.RunOnVirtualThread;
import io.vertx.core.http.HttpServerResponse;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.SecurityContext;
import org.eclipse.microprofile.openapi.annotations.Operation;
import org.eclipse.microprofile.openapi.annotations.media.Content;
import org.eclipse.microprofile.openapi.annotations.media.Schema;
import org.eclipse.microprofile.openapi.annotations.parameters.RequestBody;
import org.eclipse.microprofile.openapi.annotations.responses.APIResponse;
import org.eclipse.microprofile.openapi.annotations.tags.Tag;

/**
 * Chat and text completions. The methods write to the connection themselves, since a stream is neither a resource's return value nor
 * of one media type.
 */
@Path("/v1")
@RunOnVirtualThread
@Tag(name = "OpenAI")
@APIResponse(
        responseCode = "200",
        description = "The answer, or with `stream` its pieces as server-sent events",
        content = {
            @Content(mediaType = MediaType.APPLICATION_JSON, schema = @Schema(implementation = Schemas.Answer.class)),
            @Content(mediaType = MediaType.SERVER_SENT_EVENTS, schema = @Schema(implementation = Schemas.Answer.class))
        })
@APIResponse(
        responseCode = "default",
        description = "An error",
        content =
                @Content(
                        mediaType = MediaType.APPLICATION_JSON,
                        schema = @Schema(implementation = Schemas.Error.class)))
public class CompletionsResource {
    private final Responder responder;

    CompletionsResource(Responder responder) {
        this.responder = responder;
    }

    @POST
    @Path("/chat/completions")
    @Operation(operationId = "createChatCompletion", summary = "Answer a conversation, through any adapters")
    @RequestBody(
            content =
                    @Content(
                            mediaType = MediaType.APPLICATION_JSON,
                            schema = @Schema(implementation = Schemas.ChatRequest.class)))
    public void chat(byte[] body, @Context SecurityContext caller, @Context HttpServerResponse response) {
        responder.respond(Endpoint.CHAT, body, ApiKeys.tenant(caller), response);
    }

    @POST
    @Path("/completions")
    @Operation(operationId = "createCompletion", summary = "Go on from text or token ids, through any adapters")
    @RequestBody(
            content =
                    @Content(
                            mediaType = MediaType.APPLICATION_JSON,
                            schema = @Schema(implementation = Schemas.CompletionRequest.class)))
    public void completions(byte[] body, @Context SecurityContext caller, @Context HttpServerResponse response) {
        responder.respond(Endpoint.COMPLETIONS, body, ApiKeys.tenant(caller), response);
    }
}
