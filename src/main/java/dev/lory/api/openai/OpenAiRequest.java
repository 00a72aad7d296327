package dev.lory.api.openai;

import static dev.lory.error.ServiceException.invalid;

import com.fasterxml.jackson.databind.JsonNode;
import dev.lory.error.ErrorCode;
import dev.lory.error.ServiceException;
import dev.lory.sampling.SamplingParams;
import dev.lory.worker.GenerationRequest;
import dev.lory.worker.GenerationRequest.WeightedAdapter;
import dev.lory.worker.Prompt;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.stream.StreamSupport;

/**
 * A request of either endpoint, understood.
 *
 * @param id of the answer
 * @param model as the request spells it; answers repeat it
 * @param choices one generation for each choice, prompt after prompt
 * @param choicesPerPrompt {@code n}
 */
public record OpenAiRequest(
        Endpoint endpoint,
        String id,
        String model,
        List<GenerationRequest> choices,
        int choicesPerPrompt,
        Shape shape) {
    private static final int MAX_CHOICES = 128;

    public OpenAiRequest {
        choices = List.copyOf(choices);
    }

    /**
     * How the answer is to look.
     *
     * @param includeUsage a stream ends with the usage
     * @param logprobs log-probabilities were asked for
     * @param scorePrompt {@code echo} with log-probabilities: those of the prompt, too
     * @param promptLogprobs vLLM's {@code prompt_logprobs} were asked for
     * @param echo the prompt comes first in the text
     * @param tokenIds vLLM's {@code return_token_ids}
     * @param tokensAsIds tokens in log-probabilities as {@code token_id:123}
     */
    public record Shape(
            boolean stream,
            boolean includeUsage,
            boolean logprobs,
            boolean scorePrompt,
            boolean promptLogprobs,
            boolean echo,
            boolean tokenIds,
            boolean tokensAsIds) {}

    /**
     * Reads a request.
     *
     * @param id unique; the answer's id ends with it
     * @throws ServiceException {@code INVALID_REQUEST} naming the field, {@code MODEL_NOT_FOUND}, {@code ADAPTER_NOT_FOUND},
     *     {@code ADAPTER_SELECTION_CONFLICT}, {@code UNSUPPORTED}
     */
    public static OpenAiRequest parse(Endpoint endpoint, JsonNode json, Served served, String id) {
        Fields body = new Fields(json);
        refuseUnsupported(body);
        boolean chat = endpoint == Endpoint.CHAT;
        SamplingParams.Builder params = SamplingFields.read(body);
        OptionalInt logprobs =
                chat ? chatLogprobs(body, served) : SamplingFields.logprobs(body, "logprobs", served.maxLogprobs());
        boolean echo = !chat && body.flag("echo");
        OptionalInt promptLogprobs = SamplingFields.logprobs(body, "prompt_logprobs", served.maxLogprobs());
        logprobs.ifPresent(params::logprobs);
        promptLogprobs.ifPresent(params::promptLogprobs);
        boolean scorePrompt = echo && logprobs.isPresent();
        if (scorePrompt && promptLogprobs.isEmpty()) {
            params.promptLogprobs(logprobs.getAsInt());
        }
        maxTokens(body, endpoint).ifPresent(params::maxTokens);
        Shape shape = new Shape(
                body.flag("stream"),
                body.object("stream_options")
                        .map(options -> options.flag("include_usage"))
                        .orElse(false),
                logprobs.isPresent(),
                scorePrompt,
                promptLogprobs.isPresent(),
                echo,
                body.flag("return_token_ids"),
                body.flag("return_tokens_as_token_ids"));
        List<WeightedAdapter> adapters = AdapterSelection.of(body, served, id);
        int n = body.integer("n").orElse(1);
        List<Prompt> prompts = chat ? List.of(ChatMessages.prompt(body)) : prompts(body);
        return new OpenAiRequest(
                endpoint,
                endpoint.idPrefix() + id,
                body.text("model").orElse(served.model()),
                choices(
                        n,
                        new GenerationRequest(
                                id, prompts.getFirst(), adapters, SamplingParams.DEFAULT, XLoraFields.read(body)),
                        prompts,
                        params),
                n,
                shape);
    }

    private static void refuseUnsupported(Fields body) {
        body.object("response_format").ifPresent(format -> {
            String type = format.text("type").orElse("text");
            if (!type.equals("text")) {
                throw new ServiceException(
                        ErrorCode.UNSUPPORTED,
                        "response_format.type " + type + " is not supported; text is",
                        Map.of("param", "response_format"));
            }
        });
        if (!body.text("suffix").orElse("").isEmpty()) {
            throw new ServiceException(
                    ErrorCode.UNSUPPORTED,
                    "suffix is not supported: the model only goes on",
                    Map.of("param", "suffix"));
        }
        int bestOf = body.integer("best_of").orElse(1);
        if (bestOf != 1 && bestOf != body.integer("n").orElse(1)) {
            throw new ServiceException(
                    ErrorCode.UNSUPPORTED, "best_of is not supported; n is", Map.of("param", "best_of"));
        }
    }

    private static OptionalInt chatLogprobs(Fields body, Served served) {
        OptionalInt top = SamplingFields.logprobs(body, "top_logprobs", served.maxLogprobs());
        if (!body.flag("logprobs")) {
            if (top.orElse(0) != 0) {
                throw invalid("top_logprobs", "top_logprobs is " + top.getAsInt() + " but logprobs is not true");
            }
            return OptionalInt.empty();
        }
        return OptionalInt.of(top.orElse(0));
    }

    private static OptionalInt maxTokens(Fields body, Endpoint endpoint) {
        OptionalInt newer = body.integer("max_completion_tokens");
        OptionalInt asked = newer.isPresent() ? newer : body.integer("max_tokens");
        return asked.isPresent() || endpoint.toTheEnd() ? asked : OptionalInt.of(16);
    }

    /** A string, strings, token ids, or arrays of token ids. */
    private static List<Prompt> prompts(Fields body) {
        JsonNode prompt = body.get("prompt").orElseThrow(() -> invalid("prompt", "prompt is missing"));
        if (prompt.isTextual()) {
            return List.of(new Prompt.Text(prompt.textValue()));
        }
        if (!prompt.isArray() || prompt.isEmpty()) {
            throw body.wrong("prompt", "a string or an array of strings or token ids", prompt);
        }
        if (StreamSupport.stream(prompt.spliterator(), false).allMatch(JsonNode::isNumber)) {
            return List.of(new Prompt.Tokens(SamplingFields.integers(body, "prompt", prompt)));
        }
        List<Prompt> prompts = new ArrayList<>();
        for (JsonNode element : prompt) {
            String name = "prompt[" + prompts.size() + "]";
            if (element.isTextual()) {
                prompts.add(new Prompt.Text(element.textValue()));
            } else if (element.isArray()) {
                prompts.add(new Prompt.Tokens(SamplingFields.integers(body, name, element)));
            } else {
                throw body.wrong(name, "a string or an array of token ids", element);
            }
        }
        return prompts;
    }

    private static List<GenerationRequest> choices(
            int n, GenerationRequest like, List<Prompt> prompts, SamplingParams.Builder params) {
        if (n < 1 || (long) n * prompts.size() > MAX_CHOICES) {
            throw invalid(
                    "n", "n must be at least 1, and n times the prompts at most " + MAX_CHOICES + ", but n is " + n);
        }
        SamplingParams first = params.build();
        List<GenerationRequest> choices = new ArrayList<>();
        for (Prompt prompt : prompts) {
            for (int i = 0; i < n; i++) {
                // Choices of one prompt must differ though the request has one seed.
                SamplingParams own = i > 0 && first.seed().isPresent()
                        ? params.seed(first.seed().getAsLong() + i).build()
                        : first;
                choices.add(new GenerationRequest(like.id(), prompt, like.adapters(), own, like.xlora()));
            }
        }
        return choices;
    }
}
