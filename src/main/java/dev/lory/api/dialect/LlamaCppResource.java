package dev.lory.api.dialect;

import static dev.lory.error.ServiceException.invalid;

import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.databind.JsonNode;
import dev.lory.api.ApiKeys;
import dev.lory.api.openai.Bodies;
import dev.lory.api.openai.Fields;
import dev.lory.api.openai.Responder;
import dev.lory.api.openai.Served;
import dev.lory.registry.ActivationService;
import dev.lory.registry.WorkerDirectory;
import dev.lory.worker.GenerationRequest.WeightedAdapter;
import io.smallrye.common.annotation.RunOnVirtualThread;
import io.vertx.core.http.HttpServerResponse;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.SecurityContext;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.eclipse.microprofile.openapi.annotations.Operation;
import org.eclipse.microprofile.openapi.annotations.media.Content;
import org.eclipse.microprofile.openapi.annotations.media.Schema;
import org.eclipse.microprofile.openapi.annotations.parameters.RequestBody;
import org.eclipse.microprofile.openapi.annotations.responses.APIResponse;
import org.eclipse.microprofile.openapi.annotations.tags.Tag;

/** Scales of adapters, and completions, as llama.cpp's server has them. Its ids of adapters are their places by name, from 0 on. */
@Path("/")
@RunOnVirtualThread
@Tag(name = "Dialects")
public class LlamaCppResource {
    private final WorkerDirectory workers;
    private final ActivationService activations;
    private final Responder responder;

    LlamaCppResource(WorkerDirectory workers, ActivationService activations, Responder responder) {
        this.workers = workers;
        this.activations = activations;
        this.responder = responder;
    }

    /**
     * One adapter.
     *
     * @param path what it is called: folders are nobody's business
     * @param scale its weight for requests that name no adapters; 0 = it is not used
     */
    @Schema(name = "LlamaCppAdapter")
    public record ScaledAdapter(
            int id,
            String path,
            float scale,

            @Schema(name = "task_name") @JsonProperty("task_name")
            String taskName,

            @Schema(name = "prompt_prefix") @JsonProperty("prompt_prefix")
            String promptPrefix) {}

    /** A new scale. */
    record Scale(int id, float scale) {}

    /** It is so. */
    public record Done(boolean success) {}

    @GET
    @Path("lora-adapters")
    @Produces(MediaType.APPLICATION_JSON)
    @Operation(
            operationId = "listScaledAdapters",
            summary = "Adapters and their weights for requests that name none (llama.cpp)")
    @APIResponse(responseCode = "200", description = "Adapters by name")
    public List<ScaledAdapter> list() {
        Map<String, Float> active = new TreeMap<>();
        activations.current().adapters().forEach(adapter -> active.put(adapter.name(), adapter.weight()));
        List<ScaledAdapter> adapters = new ArrayList<>();
        for (String name : Served.names(workers.status())) {
            adapters.add(new ScaledAdapter(adapters.size(), name, active.getOrDefault(name, 0f), "", ""));
        }
        return adapters;
    }

    @POST
    @Path("lora-adapters")
    @Produces(MediaType.APPLICATION_JSON)
    @Operation(
            operationId = "scaleAdapters",
            summary = "Set the weights for requests that name no adapters (llama.cpp)",
            description = "Adapters that are not listed are not used. The same as an activation, in all or nothing.")
    @RequestBody(
            required = true,
            content =
                    @Content(mediaType = MediaType.APPLICATION_JSON, schema = @Schema(implementation = Scale[].class)))
    @APIResponse(responseCode = "200", description = "They are set")
    public Done scale(byte[] body, @Context SecurityContext caller) {
        JsonNode scales = Bodies.json(body);
        if (!scales.isArray()) {
            throw invalid("", "the body must be an array of {id, scale}");
        }
        List<String> names = Served.names(workers.status());
        Map<String, WeightedAdapter> wanted = new TreeMap<>();
        for (JsonNode element : scales) {
            Fields scale = new Fields(element);
            int id = scale.integer("id").orElse(-1);
            if (id < 0 || id >= names.size()) {
                throw invalid("id", "id must be between 0 and " + (names.size() - 1) + " but is " + element.path("id"));
            }
            float[] weight = {0};
            scale.number("scale", value -> weight[0] = value);
            if (weight[0] != 0) {
                wanted.put(names.get(id), new WeightedAdapter(names.get(id), weight[0]));
            }
        }
        activations.activate(List.copyOf(wanted.values()), ApiKeys.tenant(caller));
        return new Done(true);
    }

    /** What a completion takes. */
    @Schema(name = "LlamaCppCompletionRequest")
    record CompletionRequest(
            @Schema(required = true, description = "A text, or token ids")
            String prompt,

            @Schema(name = "n_predict", description = "Tokens at most; -1, the default: to the end")
            int nPredict,

            @Schema(description = "Default: 0.8") float temperature,
            boolean stream,
            List<String> stop,

            @Schema(description = "The adapters of this request")
            List<Scale> lora) {}

    @POST
    @Path("completion")
    @Operation(operationId = "llamaCppCompletion", summary = "Go on from a text or token ids (llama.cpp)")
    @RequestBody(
            required = true,
            content =
                    @Content(
                            mediaType = MediaType.APPLICATION_JSON,
                            schema = @Schema(implementation = CompletionRequest.class)))
    @APIResponse(responseCode = "200", description = "The answer, or with `stream` its pieces as server-sent events")
    public void completion(byte[] body, @Context SecurityContext caller, @Context HttpServerResponse response) {
        responder.respond(new LlamaCppDialect(), body, ApiKeys.tenant(caller), response);
    }
}
