package dev.lory.api.openai;

import com.fasterxml.jackson.annotation.JsonProperty;
import dev.lory.error.ErrorCode;
import dev.lory.error.ServiceException;
import dev.lory.registry.Alias;
import dev.lory.registry.AliasService;
import dev.lory.registry.WorkerDirectory;
import dev.lory.worker.WorkerStatus;
import dev.lory.worker.WorkerStatus.AdapterStatus;
import io.smallrye.common.annotation.RunOnVirtualThread;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.MediaType;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.eclipse.microprofile.openapi.annotations.Operation;
import org.eclipse.microprofile.openapi.annotations.media.Schema;
import org.eclipse.microprofile.openapi.annotations.tags.Tag;

/** The models that requests may name: the base, each adapter that can be served now, and the aliases. */
@Path("/v1")
@RunOnVirtualThread
@Produces(MediaType.APPLICATION_JSON)
@Tag(name = "OpenAI")
public class ModelsResource {
    private final WorkerDirectory workers;
    private final AliasService aliases;
    private final long started = Instant.now().getEpochSecond();

    ModelsResource(WorkerDirectory workers, AliasService aliases) {
        this.workers = workers;
        this.aliases = aliases;
    }

    /**
     * One model, as OpenAI has it with vLLM's additions.
     *
     * @param root what it is: the base model, the adapter's content by digest, or name and revision of an alias
     * @param parent the base model of an adapter or alias; of the base itself empty
     */
    @Schema(name = "Model")
    public record Model(
            String id,
            String object,
            long created,

            @Schema(name = "owned_by") @JsonProperty("owned_by")
            String ownedBy,

            String root,
            String parent,

            @Schema(name = "max_model_len") @JsonProperty("max_model_len")
            int maxModelLen) {}

    /** All models. */
    @Schema(name = "ModelList")
    public record ModelList(String object, List<Model> data) {
        public ModelList {
            data = List.copyOf(data);
        }
    }

    @GET
    @Path("/models")
    @Operation(operationId = "listModels", summary = "The base model, the adapters that are ready, and the aliases")
    public ModelList list() {
        WorkerStatus status = workers.status();
        WorkerStatus.ModelInfo base = status.model();
        List<Model> models = new ArrayList<>();
        models.add(new Model(base.name(), "model", started, "lory", base.name(), "", base.maxModelLen()));
        for (AdapterStatus adapter : status.adapters()) {
            if (adapter.state() == AdapterStatus.State.READY) {
                models.add(new Model(
                        adapter.name(),
                        "model",
                        started,
                        "lory",
                        "sha256:" + adapter.digest(),
                        base.name(),
                        base.maxModelLen()));
            }
        }
        for (Alias alias : aliases.current().values()) {
            models.add(new Model(
                    alias.name(),
                    "model",
                    alias.at().getEpochSecond(),
                    "lory",
                    alias.name() + "@" + alias.revision(),
                    base.name(),
                    base.maxModelLen()));
        }
        return new ModelList("list", models);
    }

    @GET
    @Path("/models/{id:.+}")
    @Operation(operationId = "getModel", summary = "One model")
    public Model get(@PathParam("id") String id) {
        return list().data().stream()
                .filter(model -> model.id().equals(id))
                .findFirst()
                .orElseThrow(() -> new ServiceException(
                        ErrorCode.MODEL_NOT_FOUND, "the model `" + id + "` does not exist", Map.of("param", "model")));
    }

    @POST
    @Path("/embeddings")
    @Operation(operationId = "createEmbedding", summary = "Not offered; answers 501")
    public Model embeddings() {
        throw new ServiceException(ErrorCode.UNSUPPORTED, "embeddings are not offered");
    }
}
