package dev.lory.api.admin;

import dev.lory.api.Problem;
import dev.lory.registry.Adapter;
import dev.lory.registry.AdapterService;
import dev.lory.registry.AdapterTransition;
import io.smallrye.common.annotation.RunOnVirtualThread;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.MediaType;
import java.util.List;
import org.eclipse.microprofile.openapi.annotations.Operation;
import org.eclipse.microprofile.openapi.annotations.media.Content;
import org.eclipse.microprofile.openapi.annotations.media.Schema;
import org.eclipse.microprofile.openapi.annotations.responses.APIResponse;
import org.eclipse.microprofile.openapi.annotations.tags.Tag;

/** The adapters that requests may name. */
@Path("/api/v1/adapters")
@Produces(MediaType.APPLICATION_JSON)
@RunOnVirtualThread
@Tag(name = "Adapters", description = "The adapters that requests may name, and their states")
@APIResponse(
        responseCode = "default",
        description = "An error",
        content = @Content(mediaType = Problem.MEDIA_TYPE, schema = @Schema(implementation = Problem.class)))
public class AdapterResource {
    private final AdapterService adapters;

    AdapterResource(AdapterService adapters) {
        this.adapters = adapters;
    }

    @GET
    @Operation(operationId = "listAdapters", summary = "List adapters by name")
    @APIResponse(responseCode = "200", description = "Adapters")
    public List<Adapter> list() {
        return adapters.list();
    }

    @GET
    @Path("{name}")
    @Operation(operationId = "getAdapter", summary = "One adapter")
    @APIResponse(responseCode = "200", description = "The adapter")
    public Adapter get(@PathParam("name") String name) {
        return adapters.get(name);
    }

    @GET
    @Path("{name}/transitions")
    @Operation(operationId = "listAdapterTransitions", summary = "The states an adapter has been in, oldest first")
    @APIResponse(responseCode = "200", description = "Transitions")
    public List<AdapterTransition> transitions(@PathParam("name") String name) {
        return adapters.transitions(name);
    }
}
