package dev.lory.api.admin;

import dev.lory.api.Problem;
import dev.lory.registry.Activation;
import dev.lory.registry.ActivationService;
import dev.lory.worker.GenerationRequest.WeightedAdapter;
import io.smallrye.common.annotation.RunOnVirtualThread;
import jakarta.ws.rs.DefaultValue;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.HeaderParam;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.PUT;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.HttpHeaders;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import jakarta.ws.rs.core.SecurityContext;
import java.util.List;
import java.util.OptionalLong;
import java.util.Set;
import org.eclipse.microprofile.openapi.annotations.Operation;
import org.eclipse.microprofile.openapi.annotations.headers.Header;
import org.eclipse.microprofile.openapi.annotations.media.Content;
import org.eclipse.microprofile.openapi.annotations.media.Schema;
import org.eclipse.microprofile.openapi.annotations.parameters.RequestBody;
import org.eclipse.microprofile.openapi.annotations.responses.APIResponse;
import org.eclipse.microprofile.openapi.annotations.tags.Tag;

/** Which adapters run for requests that name none. */
@Path("/api/v1/activations")
@Produces(MediaType.APPLICATION_JSON)
@RunOnVirtualThread
@Tag(name = "Activations", description = "Which adapters run for requests that name none; each change is a revision")
@APIResponse(
        responseCode = "default",
        description = "An error",
        content = @Content(mediaType = Problem.MEDIA_TYPE, schema = @Schema(implementation = Problem.class)))
public class ActivationResource {
    private final ActivationService activations;

    ActivationResource(ActivationService activations) {
        this.activations = activations;
    }

    /** The set to activate; see {@link StrictBody#adapters}. */
    record ActivationRequest(
            @Schema(
                    required = true,
                    description = "Summed unmerged; a name alone has weight 1; none = the base model",
                    examples = "[{\"name\": \"math\", \"weight\": 0.5}]")
            List<WeightedAdapter> adapters) {}

    @GET
    @Operation(operationId = "listActivations", summary = "List activations, newest first, at most 200")
    @APIResponse(responseCode = "200", description = "Activations")
    public List<Activation> list() {
        return activations.list();
    }

    @GET
    @Path("current")
    @Operation(operationId = "getCurrentActivation", summary = "The current activation; revision 0 = none yet")
    @APIResponse(
            responseCode = "200",
            description = "The current activation",
            headers = @Header(name = "ETag", description = "The revision, for If-Match"),
            content = @Content(schema = @Schema(implementation = Activation.class)))
    public Response current() {
        return tagged(activations.current());
    }

    @PUT
    @Path("current")
    @Operation(operationId = "activate", summary = "Replace the current activation, all or nothing")
    @RequestBody(
            required = true,
            content =
                    @Content(
                            mediaType = MediaType.APPLICATION_JSON,
                            schema = @Schema(implementation = ActivationRequest.class)))
    @APIResponse(
            responseCode = "200",
            description = "The activation that is current now",
            headers = @Header(name = "ETag", description = "The new revision"),
            content = @Content(schema = @Schema(implementation = Activation.class)))
    @APIResponse(
            responseCode = "404",
            description = "An adapter is not registered; nothing is changed",
            content = @Content(mediaType = Problem.MEDIA_TYPE, schema = @Schema(implementation = Problem.class)))
    @APIResponse(
            responseCode = "409",
            description = "If-Match is not the current revision, or an adapter failed to load",
            content = @Content(mediaType = Problem.MEDIA_TYPE, schema = @Schema(implementation = Problem.class)))
    @APIResponse(
            responseCode = "428",
            description = "If-Match is missing",
            content = @Content(mediaType = Problem.MEDIA_TYPE, schema = @Schema(implementation = Problem.class)))
    public Response replace(
            @HeaderParam(HttpHeaders.IF_MATCH) @DefaultValue("") String ifMatch,
            byte[] body,
            @Context SecurityContext caller) {
        long expected = Revisions.expected(ifMatch, activations.current().revision());
        List<WeightedAdapter> wanted = StrictBody.read(body, Set.of("adapters")).adapters("adapters");
        return tagged(activations.activateIf(expected, wanted, Callers.name(caller)));
    }

    @POST
    @Path("{revision}/rollback")
    @Operation(
            operationId = "rollbackActivation",
            summary = "Make the set of an older revision the current one again",
            description = "A new revision with the old one's adapters. With If-Match only if that is still current.")
    @APIResponse(
            responseCode = "200",
            description = "The activation that is current now",
            headers = @Header(name = "ETag", description = "The new revision"),
            content = @Content(schema = @Schema(implementation = Activation.class)))
    public Response rollback(
            @PathParam("revision") long revision,
            @HeaderParam(HttpHeaders.IF_MATCH) @DefaultValue("") String ifMatch,
            @Context SecurityContext caller) {
        OptionalLong expected = ifMatch.isBlank()
                ? OptionalLong.empty()
                : OptionalLong.of(
                        Revisions.expected(ifMatch, activations.current().revision()));
        return tagged(activations.rollback(revision, expected, Callers.name(caller)));
    }

    private static Response tagged(Activation activation) {
        return Response.ok(activation)
                .header(HttpHeaders.ETAG, Revisions.tag(activation.revision()))
                .build();
    }
}
