package dev.lory.api.openai;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.lory.api.Envelope;
import dev.lory.error.ServiceException;
import dev.lory.worker.GenerationEvent.Delta;
import dev.lory.worker.GenerationEvent.Finished;
import dev.lory.worker.GenerationEvent.Token;
import dev.lory.worker.GenerationEvent.Usage;
import dev.lory.worker.GenerationEvent.UsedAdapter;
import dev.lory.worker.Vocabulary;
import dev.lory.worker.XLoraOptions;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** Writes answers and pieces of streams as OpenAI's clients expect them; every required field is there, null where it has no value. */
final class AnswerWriter implements AnswerForm {
    private final OpenAiRequest request;
    private final Vocabulary vocabulary;
    private final Logprobs logprobs;
    private final long created = Instant.now().getEpochSecond();

    AnswerWriter(OpenAiRequest request, Vocabulary vocabulary) {
        this.request = request;
        this.vocabulary = vocabulary;
        this.logprobs = new Logprobs(vocabulary, request.shape().tokensAsIds());
    }

    private boolean chat() {
        return request.endpoint() == Endpoint.CHAT;
    }

    private ObjectNode envelope(String object) {
        return JsonNodeFactory.instance
                .objectNode()
                .put("id", request.id())
                .put("object", object)
                .put("created", created)
                .put("model", request.model())
                .putNull("system_fingerprint");
    }

    @Override
    public ObjectNode whole(List<Choice> choices) {
        ObjectNode answer = envelope(request.endpoint().object());
        ArrayNode list = answer.putArray("choices");
        for (Choice choice : choices) {
            ObjectNode node = list.addObject().put("index", choice.index);
            if (chat()) {
                node.putObject("message")
                        .put("role", "assistant")
                        .put("content", choice.text.toString())
                        .putNull("refusal");
            } else {
                node.put("text", echo(choice) + choice.text);
            }
            node.set("logprobs", logprobs(choice));
            node.put("finish_reason", choice.finishReason().orElse("stop"));
            if (request.shape().tokenIds()) {
                ids(node.putArray("token_ids"), choice.tokens);
                choice.promptTokenIds.forEach(node.putArray("prompt_token_ids")::add);
            }
            if (request.shape().promptLogprobs()) {
                node.set("prompt_logprobs", logprobs.prompt(choice.promptScores));
            }
            scalings(node, choice);
        }
        answer.set("usage", usage(choices));
        generation(choices).ifPresent(digest -> answer.put("adapter_generation", digest));
        return answer;
    }

    private JsonNode logprobs(Choice choice) {
        if (!request.shape().logprobs()) {
            return JsonNodeFactory.instance.nullNode();
        }
        if (chat()) {
            return logprobs.chat(choice.tokens);
        }
        List<Token> tokens = new ArrayList<>(request.shape().scorePrompt() ? choice.promptScores : List.of());
        tokens.addAll(choice.tokens);
        return logprobs.completion(
                tokens, request.shape().scorePrompt() ? 0 : echo(choice).length());
    }

    private String echo(Choice choice) {
        return request.shape().echo() ? vocabulary.decode(choice.promptTokenIds) : "";
    }

    /** The role, or the prompt where it is to be echoed; nothing more for other completions. */
    @Override
    public List<ObjectNode> opening(Choice choice) {
        if (!chat() && !request.shape().echo() && !request.shape().tokenIds()) {
            return List.of();
        }
        ObjectNode chunk = chunk();
        ObjectNode node = choice(chunk, choice);
        if (chat()) {
            node.putObject("delta").put("role", "assistant").put("content", "");
        } else {
            node.put("text", echo(choice));
        }
        node.putNull("logprobs").putNull("finish_reason");
        if (request.shape().tokenIds()) {
            choice.promptTokenIds.forEach(node.putArray("prompt_token_ids")::add);
        }
        return List.of(chunk);
    }

    @Override
    public List<ObjectNode> piece(Choice choice, Delta delta) {
        if (delta.text().isEmpty()
                && !request.shape().logprobs()
                && !request.shape().tokenIds()) {
            return List.of();
        }
        ObjectNode chunk = chunk();
        ObjectNode node = choice(chunk, choice);
        if (chat()) {
            node.putObject("delta").put("content", delta.text());
        } else {
            node.put("text", delta.text());
        }
        if (!request.shape().logprobs() || delta.tokens().isEmpty()) {
            node.putNull("logprobs");
        } else if (chat()) {
            node.set("logprobs", logprobs.chat(delta.tokens()));
        } else {
            int before = choice.text.length() - delta.text().length();
            node.set("logprobs", logprobs.completion(delta.tokens(), before));
        }
        node.putNull("finish_reason");
        if (request.shape().tokenIds()) {
            ids(node.putArray("token_ids"), delta.tokens());
        }
        return List.of(chunk);
    }

    @Override
    public ObjectNode ending(Choice choice) {
        ObjectNode chunk = chunk();
        ObjectNode node = choice(chunk, choice);
        if (chat()) {
            node.putObject("delta");
        } else {
            node.put("text", "");
        }
        node.putNull("logprobs").put("finish_reason", choice.finishReason().orElse("stop"));
        scalings(node, choice);
        return chunk;
    }

    private void scalings(ObjectNode node, Choice choice) {
        XLoraOptions.Detail detail = request.choices().getFirst().xlora().scalings();
        choice.scalings()
                .ifPresent(
                        scalings -> node.set("adapter_scalings", XLoraFields.write(scalings, detail, texts(choice))));
    }

    /** Of prompt and output. */
    private Stream<String> texts(Choice choice) {
        Stream<Integer> output = choice.tokens.stream().map(Token::id);
        return Stream.concat(choice.promptTokenIds.stream(), output).map(logprobs::name);
    }

    /** The usage, where it was asked for. */
    @Override
    public List<ObjectNode> closing(List<Choice> choices) {
        if (!request.shape().includeUsage()) {
            return List.of();
        }
        ObjectNode chunk = envelope(request.endpoint().chunkObject());
        chunk.putArray("choices");
        chunk.set("usage", usage(choices));
        generation(choices).ifPresent(digest -> chunk.put("adapter_generation", digest));
        return List.of(chunk);
    }

    @Override
    public ObjectNode failure(ServiceException error) {
        return Envelope.OPENAI.json(error);
    }

    @Override
    public boolean endsWithDone() {
        return true;
    }

    private ObjectNode chunk() {
        ObjectNode chunk = envelope(request.endpoint().chunkObject());
        if (request.shape().includeUsage()) {
            chunk.putNull("usage");
        }
        return chunk;
    }

    private static ObjectNode choice(ObjectNode chunk, Choice choice) {
        return chunk.putArray("choices").addObject().put("index", choice.index);
    }

    private static void ids(ArrayNode array, List<Token> tokens) {
        tokens.forEach(token -> array.add(token.id()));
    }

    /** As mistral.rs: of the adapter that answered, if it was one. */
    private static Optional<String> generation(List<Choice> choices) {
        return choices.getLast()
                .end()
                .map(Finished::adapters)
                .filter(adapters -> adapters.size() == 1)
                .map(adapters -> adapters.getFirst().digest());
    }

    private ObjectNode usage(List<Choice> choices) {
        Usage total = Choice.total(choices, request.choicesPerPrompt());
        List<UsedAdapter> adapters = List.of();
        for (Choice choice : choices) {
            adapters = choice.end().map(Finished::adapters).orElse(adapters);
        }
        ObjectNode node = JsonNodeFactory.instance
                .objectNode()
                .put("prompt_tokens", total.promptTokens())
                .put("completion_tokens", total.completionTokens())
                .put("total_tokens", total.promptTokens() + total.completionTokens());
        node.putObject("prompt_tokens_details").put("cached_tokens", total.cachedTokens());
        ArrayNode details = node.putArray("adapter_details");
        adapters.forEach(adapter -> details.addObject()
                .put("name", adapter.name())
                .put("digest", adapter.digest())
                .put("weight", adapter.weight()));
        return node;
    }
}
