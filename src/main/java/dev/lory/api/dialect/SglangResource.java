package dev.lory.api.dialect;

import com.fasterxml.jackson.annotation.JsonProperty;
import dev.lory.api.ApiKeys;
import dev.lory.api.openai.Bodies;
import dev.lory.api.openai.Fields;
import dev.lory.error.ServiceException;
import dev.lory.registry.Actor;
import dev.lory.registry.AdapterLoading;
import dev.lory.registry.AdapterLoading.Wanted;
import dev.lory.registry.WorkerDirectory;
import dev.lory.worker.WorkerStatus.AdapterStatus;
import io.smallrye.common.annotation.RunOnVirtualThread;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import jakarta.ws.rs.core.SecurityContext;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.eclipse.microprofile.openapi.annotations.Operation;
import org.eclipse.microprofile.openapi.annotations.media.Content;
import org.eclipse.microprofile.openapi.annotations.media.Schema;
import org.eclipse.microprofile.openapi.annotations.parameters.RequestBody;
import org.eclipse.microprofile.openapi.annotations.responses.APIResponse;
import org.eclipse.microprofile.openapi.annotations.tags.Tag;
import org.jspecify.annotations.Nullable;

/** Loading adapters as SGLang has it: what fails is told with {@code success} false and status 400. */
@Path("/")
@RunOnVirtualThread
@Produces(MediaType.APPLICATION_JSON)
@Tag(name = "Dialects")
public class SglangResource {
    private final AdapterLoading loading;
    private final WorkerDirectory workers;

    SglangResource(AdapterLoading loading, WorkerDirectory workers) {
        this.loading = loading;
        this.workers = workers;
    }

    /** What loading and unloading take. */
    record LoraRequest(
            @Schema(name = "lora_name", required = true) String loraName,

            @Schema(name = "lora_path", description = "For loading: its PEFT folder, relative to the adapters root")
            String loraPath,

            @Schema(description = "For loading: never evict it")
            boolean pinned) {}

    /** What became of it, and the adapters that requests may name, with their folders. */
    @Schema(name = "LoraUpdate")
    public static final class LoraUpdate {
        private final @Nullable String error;
        private final Map<String, String> loaded;

        private LoraUpdate(@Nullable String error, Map<String, String> loaded) {
            this.error = error;
            this.loaded = loaded;
        }

        @JsonProperty
        public boolean success() {
            return error == null;
        }

        @JsonProperty("error_message")
        public Optional<String> errorMessage() {
            return Optional.ofNullable(error);
        }

        @JsonProperty("loaded_adapters")
        public Map<String, String> loadedAdapters() {
            return loaded;
        }
    }

    @POST
    @Path("load_lora_adapter")
    @Operation(
            operationId = "sglangLoadLoraAdapter",
            summary = "Load an adapter and wait until requests can name it (SGLang)")
    @RequestBody(
            required = true,
            content =
                    @Content(
                            mediaType = MediaType.APPLICATION_JSON,
                            schema = @Schema(implementation = LoraRequest.class)))
    @APIResponse(
            responseCode = "200",
            description = "It can be named",
            content = @Content(schema = @Schema(implementation = LoraUpdate.class)))
    public Response load(byte[] body, @Context SecurityContext caller) {
        Fields request = Bodies.fields(body);
        return answered(() -> loading.load(
                new Wanted(
                        request.text("lora_name").orElse(""),
                        request.text("lora_path").orElse(""),
                        false,
                        request.flag("pinned"),
                        ""),
                Actor.client(ApiKeys.tenant(caller))));
    }

    @POST
    @Path("unload_lora_adapter")
    @Operation(operationId = "sglangUnloadLoraAdapter", summary = "Refuse an adapter to new requests (SGLang)")
    @RequestBody(
            required = true,
            content =
                    @Content(
                            mediaType = MediaType.APPLICATION_JSON,
                            schema = @Schema(implementation = LoraRequest.class)))
    @APIResponse(
            responseCode = "200",
            description = "It can be named no more",
            content = @Content(schema = @Schema(implementation = LoraUpdate.class)))
    public Response unload(byte[] body, @Context SecurityContext caller) {
        Fields request = Bodies.fields(body);
        return answered(
                () -> loading.unload(request.text("lora_name").orElse(""), "", Actor.client(ApiKeys.tenant(caller))));
    }

    private Response answered(Runnable change) {
        @Nullable String error = null;
        try {
            change.run();
        } catch (ServiceException e) {
            error = e.detail();
        }
        Map<String, String> loaded = new TreeMap<>();
        workers.status().adapters().stream()
                .filter(adapter -> adapter.state() == AdapterStatus.State.READY)
                .forEach(adapter -> loaded.put(adapter.name(), adapter.source()));
        return Response.status(error == null ? 200 : 400)
                .entity(new LoraUpdate(error, loaded))
                .build();
    }
}
