package dev.lory.api.dialect;

import static dev.lory.error.ServiceException.invalid;

import com.fasterxml.jackson.databind.PropertyNamingStrategies.SnakeCaseStrategy;
import com.fasterxml.jackson.databind.annotation.JsonNaming;
import dev.lory.api.ApiKeys;
import dev.lory.api.openai.Bodies;
import dev.lory.api.openai.Fields;
import dev.lory.registry.Actor;
import dev.lory.registry.AdapterLoading;
import dev.lory.registry.AdapterLoading.Wanted;
import dev.lory.registry.WorkerDirectory;
import dev.lory.worker.WorkerStatus;
import dev.lory.worker.WorkerStatus.AdapterStatus;
import dev.lory.worker.WorkerStatus.Tier;
import io.smallrye.common.annotation.RunOnVirtualThread;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.SecurityContext;
import java.util.Comparator;
import java.util.List;
import org.eclipse.microprofile.openapi.annotations.Operation;
import org.eclipse.microprofile.openapi.annotations.media.Content;
import org.eclipse.microprofile.openapi.annotations.media.Schema;
import org.eclipse.microprofile.openapi.annotations.parameters.RequestBody;
import org.eclipse.microprofile.openapi.annotations.responses.APIResponse;
import org.eclipse.microprofile.openapi.annotations.tags.Tag;

/**
 * Loading adapters as vLLM has it, which sidecars and operators for Kubernetes call, with the generations of mistral.rs. Fields that are not known
 * are passed over, because those callers send more than vLLM reads.
 */
@Path("/v1")
@RunOnVirtualThread
@Tag(
        name = "Dialects",
        description = "What vLLM, SGLang, mistral.rs, llama.cpp, LoRAX and text-generation-inference speak")
public class LoraAdaptersResource {
    private final AdapterLoading loading;
    private final WorkerDirectory workers;

    LoraAdaptersResource(AdapterLoading loading, WorkerDirectory workers) {
        this.loading = loading;
        this.workers = workers;
    }

    /** What loading takes. */
    record LoadRequest(
            @Schema(name = "lora_name", required = true, description = "What requests call it")
            String loraName,

            @Schema(name = "lora_path", required = true, description = "Its PEFT folder, relative to the adapters root")
            String loraPath,

            @Schema(name = "load_inplace", description = "Replace the adapter of that name")
            boolean loadInplace,

            @Schema(name = "expected_generation", description = "Replace it if this is its generation")
            String expectedGeneration) {}

    /** What unloading takes. */
    record UnloadRequest(
            @Schema(name = "lora_name", required = true) String loraName,

            @Schema(name = "expected_generation", description = "Unload it if this is its generation")
            String expectedGeneration) {}

    @POST
    @Path("/load_lora_adapter")
    @Produces(MediaType.TEXT_PLAIN)
    @Operation(
            operationId = "loadLoraAdapter",
            summary = "Load an adapter and wait until requests can name it (vLLM, mistral.rs)")
    @RequestBody(
            required = true,
            content =
                    @Content(
                            mediaType = MediaType.APPLICATION_JSON,
                            schema = @Schema(implementation = LoadRequest.class)))
    @APIResponse(responseCode = "200", description = "It can be named")
    public String load(byte[] body, @Context SecurityContext caller) {
        Fields request = Bodies.fields(body);
        String name = request.text("lora_name").orElse("");
        String path = request.text("lora_path").orElse("");
        if (name.isEmpty() || path.isEmpty()) {
            throw invalid("lora_name", "Both 'lora_name' and 'lora_path' must be provided.");
        }
        loading.load(
                new Wanted(
                        name,
                        path,
                        request.flag("load_inplace"),
                        false,
                        request.text("expected_generation").orElse("")),
                Actor.client(ApiKeys.tenant(caller)));
        return "Success: LoRA adapter '" + name + "' added successfully.";
    }

    @POST
    @Path("/unload_lora_adapter")
    @Produces(MediaType.TEXT_PLAIN)
    @Operation(operationId = "unloadLoraAdapter", summary = "Refuse an adapter to new requests (vLLM, mistral.rs)")
    @RequestBody(
            required = true,
            content =
                    @Content(
                            mediaType = MediaType.APPLICATION_JSON,
                            schema = @Schema(implementation = UnloadRequest.class)))
    @APIResponse(responseCode = "200", description = "It can be named no more")
    public String unload(byte[] body, @Context SecurityContext caller) {
        Fields request = Bodies.fields(body);
        String name = request.text("lora_name")
                .filter(given -> !given.isEmpty())
                .orElseThrow(() -> invalid("lora_name", "'lora_name' needs to be provided to unload a LoRA adapter."));
        loading.unload(name, request.text("expected_generation").orElse(""), Actor.client(ApiKeys.tenant(caller)));
        return "Success: LoRA adapter '" + name + "' removed successfully.";
    }

    /**
     * One adapter.
     *
     * @param generation SHA-256 of its content in hex; rises with nothing, changes with any byte
     * @param bytes on the device
     */
    @Schema(name = "LoraAdapter")
    @JsonNaming(SnakeCaseStrategy.class)
    public record LoraAdapter(
            String id,
            String object,
            String source,
            String generation,
            int rank,
            long bytes,
            AdapterStatus.State state,
            Tier tier,
            boolean pinned) {}

    /**
     * All adapters that requests may name.
     *
     * @param generations of those that are loaded
     * @param residentGenerations how many are on the device
     * @param retiredGenerations how many of these only requests that began earlier still run with
     * @param maxAdapters on the device; 0 = any number that fits
     * @param maxBytes of all on the device together
     */
    @Schema(name = "LoraAdapterList")
    @JsonNaming(SnakeCaseStrategy.class)
    public record LoraAdapterList(
            String object,
            List<LoraAdapter> data,
            List<String> generations,
            int residentGenerations,
            int retiredGenerations,
            long residentBytes,
            int maxAdapters,
            long maxBytes) {
        public LoraAdapterList {
            data = List.copyOf(data);
            generations = List.copyOf(generations);
        }
    }

    @GET
    @Path("/lora_adapters")
    @Produces(MediaType.APPLICATION_JSON)
    @Operation(
            operationId = "listLoraAdapters",
            summary = "Adapters, their generations, and where they are (mistral.rs)")
    @APIResponse(responseCode = "200", description = "Adapters by name")
    public LoraAdapterList list() {
        WorkerStatus status = workers.status();
        List<AdapterStatus> served = status.adapters().stream()
                .filter(adapter -> adapter.state() == AdapterStatus.State.READY)
                .sorted(Comparator.comparing(AdapterStatus::name))
                .toList();
        int resident = (int)
                served.stream().filter(adapter -> adapter.tier() == Tier.DEVICE).count();
        return new LoraAdapterList(
                "list",
                served.stream().map(LoraAdaptersResource::view).toList(),
                served.stream()
                        .map(AdapterStatus::digest)
                        .filter(digest -> !digest.isEmpty())
                        .distinct()
                        .toList(),
                status.residency().loras(),
                Math.max(0, status.residency().loras() - resident),
                status.residency().bytes(),
                status.residency().maxLoras(),
                status.residency().maxBytes());
    }

    private static LoraAdapter view(AdapterStatus adapter) {
        return new LoraAdapter(
                adapter.name(),
                "lora_adapter",
                adapter.source(),
                adapter.digest(),
                adapter.rank(),
                adapter.bytes(),
                adapter.state(),
                adapter.tier(),
                adapter.pinned());
    }
}
