package dev.lory.api;

import dev.lory.registry.WorkerDirectory;
import io.smallrye.common.annotation.NonBlocking;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import org.eclipse.microprofile.openapi.annotations.Operation;
import org.eclipse.microprofile.openapi.annotations.responses.APIResponse;
import org.eclipse.microprofile.openapi.annotations.tags.Tag;

/** Whether requests are answered, for load balancers. */
@Path("/health")
@Produces(MediaType.APPLICATION_JSON)
@Tag(name = "Operation")
public class HealthResource {
    private final WorkerDirectory workers;

    HealthResource(WorkerDirectory workers) {
        this.workers = workers;
    }

    /** @param status {@code ok}, or {@code loading} */
    public record Health(String status) {}

    @GET
    @NonBlocking
    @Operation(operationId = "health", summary = "200 when requests are answered, 503 while the model is loaded")
    @APIResponse(responseCode = "200", description = "ready")
    @APIResponse(responseCode = "503", description = "not yet")
    public Response health() {
        boolean ready = workers.isReady();
        return Response.status(ready ? 200 : 503)
                .entity(new Health(ready ? "ok" : "loading"))
                .build();
    }
}
