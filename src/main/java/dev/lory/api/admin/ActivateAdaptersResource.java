package dev.lory.api.admin;

import dev.lory.api.Problem;
import dev.lory.registry.Activation;
import dev.lory.registry.ActivationService;
import dev.lory.worker.GenerationRequest.WeightedAdapter;
import io.smallrye.common.annotation.RunOnVirtualThread;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.HttpHeaders;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import jakarta.ws.rs.core.SecurityContext;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.eclipse.microprofile.openapi.annotations.Operation;
import org.eclipse.microprofile.openapi.annotations.media.Content;
import org.eclipse.microprofile.openapi.annotations.media.Schema;
import org.eclipse.microprofile.openapi.annotations.parameters.RequestBody;
import org.eclipse.microprofile.openapi.annotations.responses.APIResponse;
import org.eclipse.microprofile.openapi.annotations.tags.Tag;

/** Activation as mistral.rs offered it. */
@Path("/activate_adapters")
@RunOnVirtualThread
@Tag(name = "Activations")
@APIResponse(
        responseCode = "default",
        description = "An error",
        content = @Content(mediaType = Problem.MEDIA_TYPE, schema = @Schema(implementation = Problem.class)))
public class ActivateAdaptersResource {
    private final ActivationService activations;

    ActivateAdaptersResource(ActivationService activations) {
        this.activations = activations;
    }

    /** What to activate. */
    record ActivateAdaptersRequest(
            @Schema(name = "adapter_names", required = true, examples = "[\"math\"]")
            List<String> adapterNames) {}

    /** What is active now, at which revision. */
    public record Activated(List<String> activated, long revision) {
        public Activated {
            activated = List.copyOf(activated);
        }
    }

    @POST
    @Produces({MediaType.APPLICATION_JSON, MediaType.TEXT_PLAIN})
    @Operation(
            operationId = "activateAdapters",
            summary = "Activate adapters by name for requests that name none",
            description =
                    "Replaces the active set, all or nothing, whatever it is now; see PUT /api/v1/activations/current"
                            + " for one that refuses to overwrite somebody else's change. A client that accepts only text/plain"
                            + " gets a sentence.")
    @RequestBody(
            required = true,
            content =
                    @Content(
                            mediaType = MediaType.APPLICATION_JSON,
                            schema = @Schema(implementation = ActivateAdaptersRequest.class)))
    @APIResponse(
            responseCode = "200",
            description = "What is active now",
            content = {
                @Content(mediaType = MediaType.APPLICATION_JSON, schema = @Schema(implementation = Activated.class)),
                @Content(
                        mediaType = MediaType.TEXT_PLAIN,
                        schema = @Schema(implementation = String.class, examples = "Adapter activation: [\"math\"]"))
            })
    @APIResponse(
            responseCode = "404",
            description = "An adapter is not registered; nothing is changed",
            content = @Content(mediaType = Problem.MEDIA_TYPE, schema = @Schema(implementation = Problem.class)))
    public Response activate(byte[] body, @Context HttpHeaders headers, @Context SecurityContext caller) {
        List<String> names = StrictBody.read(body, Set.of("adapter_names")).names("adapter_names");
        Activation made = activations.activate(
                names.stream().map(name -> new WeightedAdapter(name, 1)).toList(), Callers.name(caller));
        if (headers.getAcceptableMediaTypes().stream().allMatch(MediaType.TEXT_PLAIN_TYPE::equals)) {
            return Response.ok(sentence(names), MediaType.TEXT_PLAIN_TYPE).build();
        }
        return Response.ok(new Activated(names, made.revision()), MediaType.APPLICATION_JSON_TYPE)
                .build();
    }

    private static String sentence(List<String> names) {
        return names.stream()
                .map(name -> '"' + name + '"')
                .collect(Collectors.joining(", ", "Adapter activation: [", "]"));
    }
}
