package dev.lory.api.openai;

import static dev.lory.error.ServiceException.invalid;

import com.fasterxml.jackson.annotation.JsonProperty;
import dev.lory.error.ServiceException;
import dev.lory.registry.AliasService;
import dev.lory.registry.WorkerDirectory;
import dev.lory.worker.Prompt;
import dev.lory.worker.Vocabulary;
import dev.lory.worker.Worker;
import io.smallrye.common.annotation.RunOnVirtualThread;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.MediaType;
import java.util.List;
import java.util.Optional;
import org.eclipse.microprofile.openapi.annotations.Operation;
import org.eclipse.microprofile.openapi.annotations.enums.SchemaType;
import org.eclipse.microprofile.openapi.annotations.media.Content;
import org.eclipse.microprofile.openapi.annotations.media.Schema;
import org.eclipse.microprofile.openapi.annotations.parameters.RequestBody;
import org.eclipse.microprofile.openapi.annotations.responses.APIResponse;
import org.eclipse.microprofile.openapi.annotations.tags.Tag;

/** The way from text to token ids and back, as vLLM has it, and llama.cpp's look at a rendered conversation. Nothing is generated. */
@Path("/")
@RunOnVirtualThread
@Produces(MediaType.APPLICATION_JSON)
@Tag(name = "Tokens", description = "What a model is given, without generating")
@APIResponse(
        responseCode = "default",
        description = "An error",
        content =
                @Content(
                        mediaType = MediaType.APPLICATION_JSON,
                        schema = @Schema(implementation = Schemas.Error.class)))
public class TokenizeResource {
    private final WorkerDirectory workers;
    private final AliasService aliases;

    TokenizeResource(WorkerDirectory workers, AliasService aliases) {
        this.workers = workers;
        this.aliases = aliases;
    }

    /**
     * A prompt as tokens.
     *
     * @param tokenStrings the tokens as the vocabulary spells them, if they were asked for
     */
    @Schema(name = "TokenizeResponse")
    public record Tokenized(
            int count,

            @Schema(name = "max_model_len") @JsonProperty("max_model_len")
            int maxModelLen,

            List<Integer> tokens,

            @Schema(name = "token_strs", type = SchemaType.ARRAY, implementation = String.class, nullable = true)
            @JsonProperty("token_strs")
            Optional<List<String>> tokenStrings) {
        public Tokenized {
            tokens = List.copyOf(tokens);
        }
    }

    /** The text of tokens, or of messages in the model's template. */
    @Schema(name = "PromptText")
    public record PromptText(String prompt) {}

    @POST
    @Path("tokenize")
    @Operation(operationId = "tokenize", summary = "The token ids of a text or a conversation")
    @RequestBody(
            content =
                    @Content(
                            mediaType = MediaType.APPLICATION_JSON,
                            schema = @Schema(implementation = Schemas.TokenizeRequest.class)))
    @APIResponse(responseCode = "200", description = "The tokens")
    public Tokenized tokenize(byte[] json) {
        Fields body = Bodies.fields(json);
        Worker worker = worker(body);
        if (body.get("prompt").isPresent() == body.get("messages").isPresent()) {
            throw invalid("prompt", "a request has either prompt or messages");
        }
        boolean chat = body.get("messages").isPresent();
        Prompt prompt = chat
                ? ChatMessages.prompt(body)
                : new Prompt.Text(body.text("prompt").orElseThrow());
        Vocabulary vocabulary = worker.vocabulary();
        // As vLLM: a template writes BOS itself.
        List<Integer> tokens = vocabulary.encode(prompt, body.flag("add_special_tokens", !chat));
        return new Tokenized(
                tokens.size(),
                worker.status().model().maxModelLen(),
                tokens,
                Optional.of(tokens)
                        .filter(all -> body.flag("return_token_strs"))
                        .map(all -> all.stream().map(vocabulary::piece).toList()));
    }

    @POST
    @Path("detokenize")
    @Operation(operationId = "detokenize", summary = "The text of token ids, special tokens included")
    @RequestBody(
            content =
                    @Content(
                            mediaType = MediaType.APPLICATION_JSON,
                            schema = @Schema(implementation = Schemas.DetokenizeRequest.class)))
    @APIResponse(responseCode = "200", description = "The text")
    public PromptText detokenize(byte[] json) {
        Fields body = Bodies.fields(json);
        Worker worker = worker(body);
        if (body.get("tokens").isEmpty()) {
            throw invalid("tokens", "tokens is missing");
        }
        List<Integer> tokens = SamplingFields.integers(body, "tokens", body.list("tokens"));
        int size = worker.status().model().vocabSize();
        for (int i = 0; i < tokens.size(); i++) {
            if (tokens.get(i) < 0 || tokens.get(i) >= size) {
                throw invalid(
                        "tokens", "tokens[" + i + "] is " + tokens.get(i) + ", but ids go from 0 to " + (size - 1));
            }
        }
        return new PromptText(worker.vocabulary().decode(tokens));
    }

    @POST
    @Path("apply-template")
    @Operation(operationId = "applyTemplate", summary = "A conversation as the model's chat template writes it")
    @RequestBody(
            content =
                    @Content(
                            mediaType = MediaType.APPLICATION_JSON,
                            schema = @Schema(implementation = Schemas.TemplateRequest.class)))
    @APIResponse(responseCode = "200", description = "The prompt")
    public PromptText applyTemplate(byte[] json) {
        Fields body = Bodies.fields(json);
        Worker worker = worker(body);
        return new PromptText(worker.vocabulary().render(ChatMessages.prompt(body)));
    }

    /**
     * Where a request goes. Adapters share the base model's tokens and template, but what it names must be there.
     *
     * @throws ServiceException as {@link WorkerDirectory#route} and {@link AdapterSelection#of}
     */
    private Worker worker(Fields body) {
        Worker worker = workers.route();
        Served served = Served.of(worker.status(), List.of(), 0).with(aliases.current());
        AdapterSelection.of(body, served, ""); // any target of an alias will do
        return worker;
    }
}
