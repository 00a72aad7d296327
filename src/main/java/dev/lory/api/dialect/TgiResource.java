package dev.lory.api.dialect;

import com.fasterxml.jackson.databind.PropertyNamingStrategies.SnakeCaseStrategy;
import com.fasterxml.jackson.databind.annotation.JsonNaming;
import dev.lory.api.ApiKeys;
import dev.lory.api.openai.Responder;
import dev.lory.registry.WorkerDirectory;
import dev.lory.worker.WorkerStatus.ModelInfo;
import io.smallrye.common.annotation.RunOnVirtualThread;
import io.vertx.core.http.HttpServerResponse;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.SecurityContext;
import java.util.List;
import org.eclipse.microprofile.openapi.annotations.Operation;
import org.eclipse.microprofile.openapi.annotations.media.Content;
import org.eclipse.microprofile.openapi.annotations.media.Schema;
import org.eclipse.microprofile.openapi.annotations.parameters.RequestBody;
import org.eclipse.microprofile.openapi.annotations.responses.APIResponse;
import org.eclipse.microprofile.openapi.annotations.tags.Tag;

/** Generating as text-generation-inference and LoRAX have it. */
@Path("/")
@RunOnVirtualThread
@Tag(name = "Dialects")
public class TgiResource {
    private final WorkerDirectory workers;
    private final Responder responder;

    TgiResource(WorkerDirectory workers, Responder responder) {
        this.workers = workers;
        this.responder = responder;
    }

    /** What generating takes. */
    @Schema(name = "GenerateRequest")
    record GenerateRequest(@Schema(required = true) String inputs, GenerateParameters parameters) {}

    /** How to generate; all of it may be left out. */
    @Schema(name = "GenerateParameters")
    record GenerateParameters(
            @Schema(name = "adapter_id", description = "A registered adapter")
            String adapterId,

            @Schema(name = "merged_adapters", description = "A weighted sum of adapters")
            MergedAdapters mergedAdapters,

            @Schema(name = "max_new_tokens", description = "Default: 100")
            int maxNewTokens,

            @Schema(name = "do_sample") boolean doSample,
            float temperature,
            List<String> stop,
            boolean details) {}

    /** Adapters and their weights. */
    @Schema(name = "MergedAdapters")
    record MergedAdapters(List<String> ids, List<Float> weights) {}

    @POST
    @Path("generate")
    @Operation(operationId = "tgiGenerate", summary = "Go on from a text (text-generation-inference, LoRAX)")
    @RequestBody(
            required = true,
            content =
                    @Content(
                            mediaType = MediaType.APPLICATION_JSON,
                            schema = @Schema(implementation = GenerateRequest.class)))
    @APIResponse(responseCode = "200", description = "The answer")
    public void generate(byte[] body, @Context SecurityContext caller, @Context HttpServerResponse response) {
        responder.respond(new TgiDialect(false), body, ApiKeys.tenant(caller), response);
    }

    @POST
    @Path("generate_stream")
    @Operation(operationId = "tgiGenerateStream", summary = "The same, token by token")
    @RequestBody(
            required = true,
            content =
                    @Content(
                            mediaType = MediaType.APPLICATION_JSON,
                            schema = @Schema(implementation = GenerateRequest.class)))
    @APIResponse(responseCode = "200", description = "Server-sent events")
    public void stream(byte[] body, @Context SecurityContext caller, @Context HttpServerResponse response) {
        responder.respond(new TgiDialect(true), body, ApiKeys.tenant(caller), response);
    }

    /**
     * The model.
     *
     * @param maxTotalTokens of prompt and output together
     */
    @Schema(name = "TgiInfo")
    @JsonNaming(SnakeCaseStrategy.class)
    public record Info(String modelId, String modelPipelineTag, int maxInputTokens, int maxTotalTokens) {}

    @GET
    @Path("info")
    @Produces(MediaType.APPLICATION_JSON)
    @Operation(operationId = "tgiInfo", summary = "The base model (text-generation-inference, LoRAX)")
    @APIResponse(responseCode = "200", description = "The model")
    public Info info() {
        ModelInfo model = workers.status().model();
        return new Info(model.name(), "text-generation", model.maxModelLen() - 1, model.maxModelLen());
    }
}
