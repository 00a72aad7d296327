package dev.lory.api.dialect;

import static dev.lory.error.ServiceException.invalid;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.lory.api.Envelope;
import dev.lory.api.openai.AnswerForm;
import dev.lory.api.openai.Choice;
import dev.lory.api.openai.Dialect;
import dev.lory.api.openai.Endpoint;
import dev.lory.api.openai.Fields;
import dev.lory.api.openai.OpenAiRequest;
import dev.lory.api.openai.Served;
import dev.lory.error.ServiceException;
import dev.lory.worker.GenerationEvent.Delta;
import dev.lory.worker.GenerationEvent.Token;
import dev.lory.worker.Vocabulary;
import java.util.ArrayList;
import java.util.List;

/**
 * {@code /generate} and {@code /generate_stream} of text-generation-inference (docs/openapi.json there) and LoRAX, which adds adapters to its
 * parameters.
 */
final class TgiDialect implements Dialect {
    private static final int TOKENS = 100;

    private final boolean stream;
    private boolean details;
    private boolean prefill;
    private boolean fullText;

    TgiDialect(boolean stream) {
        this.stream = stream;
    }

    @Override
    public OpenAiRequest read(JsonNode body, Served served, String id) {
        Fields request = new Fields(body);
        String inputs = request.text("inputs").orElseThrow(() -> invalid("inputs", "inputs is missing"));
        Fields parameters = request.object("parameters").orElse(new Fields(JsonNodeFactory.instance.objectNode()));
        details = parameters.flag("details");
        prefill = parameters.flag("decoder_input_details");
        fullText = parameters.flag("return_full_text");
        ObjectNode completion = translated(parameters).put("prompt", inputs).put("stream", stream);
        boolean greedy =
                !parameters.flag("do_sample") && parameters.get("temperature").isEmpty();
        completion.put(
                "temperature", greedy ? 0 : completion.path("temperature").asDouble(1));
        int tokens = parameters.integer("max_new_tokens").orElse(TOKENS);
        if (tokens < 1) {
            throw invalid("parameters.max_new_tokens", "parameters.max_new_tokens must be at least 1 but is " + tokens);
        }
        completion.put("max_tokens", tokens).put("logprobs", 0);
        if (prefill) {
            completion.put("prompt_logprobs", 0);
        }
        return Endpoint.GENERATE.read(completion, served, id);
    }

    private static ObjectNode translated(Fields parameters) {
        return new Translation(parameters)
                .same("temperature", "top_k", "top_p", "seed", "repetition_penalty", "frequency_penalty", "stop")
                .renamed("stop_sequences", "stop")
                .renamed("ignore_eos_token", "ignore_eos")
                .same("adapter_id", "merged_adapters")
                .refused("adapter_source", source -> source.asText().equals("local"))
                .refused("api_token", JsonNode::isNull)
                .refused("best_of", count -> count.asInt() == 1)
                .refused("typical_p", share -> share.asDouble() == 1)
                .refused("watermark", flag -> flag.isBoolean() && !flag.asBoolean())
                .refused("grammar", JsonNode::isNull)
                .refused("schema", JsonNode::isNull)
                .refused("response_format", JsonNode::isNull)
                .refused("truncate", JsonNode::isNull)
                .refused("top_n_tokens", count -> count.asInt() == 0)
                .result();
    }

    @Override
    public AnswerForm answers(OpenAiRequest request, Vocabulary vocabulary) {
        return new Form(request, vocabulary);
    }

    private final class Form implements AnswerForm {
        private final OpenAiRequest request;
        private final Vocabulary vocabulary;
        private int written;
        /** Not written yet: the last one comes with the whole text. */
        private final List<ObjectNode> held = new ArrayList<>();

        Form(OpenAiRequest request, Vocabulary vocabulary) {
            this.request = request;
            this.vocabulary = vocabulary;
        }

        @Override
        public ObjectNode whole(List<Choice> choices) {
            Choice choice = choices.getFirst();
            ObjectNode node = JsonNodeFactory.instance.objectNode().put("generated_text", text(choice));
            if (details) {
                ObjectNode told = node.putObject("details");
                ending(told, choice);
                ArrayNode prompt = told.putArray("prefill");
                choice.promptScores().forEach(token -> prefill(prompt.addObject(), token));
                ArrayNode tokens = told.putArray("tokens");
                choice.tokens().forEach(token -> describe(tokens.addObject(), token, vocabulary.text(token.id())));
            }
            return node;
        }

        private String text(Choice choice) {
            return (fullText ? vocabulary.decode(choice.promptTokenIds()) : "") + choice.text();
        }

        private void ending(ObjectNode node, Choice choice) {
            String reason = choice.end()
                    .map(end -> switch (end.reason()) {
                        case STOP -> "eos_token";
                        case STOP_STRING -> "stop_sequence";
                        case LENGTH -> "length";
                    })
                    .orElse("length");
            node.put("finish_reason", reason)
                    .put("generated_tokens", choice.usage().completionTokens());
            request.choices()
                    .getFirst()
                    .sampling()
                    .seed()
                    .ifPresentOrElse(seed -> node.put("seed", seed), () -> node.putNull("seed"));
        }

        private void prefill(ObjectNode node, Token token) {
            node.put("id", token.id()).put("text", vocabulary.text(token.id()));
            if (Float.isNaN(token.logprob())) {
                node.putNull("logprob");
            } else {
                node.put("logprob", token.logprob());
            }
        }

        private void describe(ObjectNode node, Token token, String text) {
            node.put("id", token.id())
                    .put("text", text)
                    .put("logprob", token.logprob())
                    .put("special", vocabulary.isSpecial(token.id()));
        }

        /** An event for each token; the text of several that come together is the last one's. */
        @Override
        public List<ObjectNode> piece(Choice choice, Delta delta) {
            List<ObjectNode> ready = new ArrayList<>(held);
            held.clear();
            for (Token token : delta.tokens()) {
                boolean last = token == delta.tokens().getLast();
                ObjectNode event = JsonNodeFactory.instance.objectNode().put("index", ++written);
                describe(event.putObject("token"), token, last ? delta.text() : "");
                event.putNull("generated_text").putNull("details");
                ready.add(event);
            }
            if (delta.tokens().isEmpty() && !ready.isEmpty()) {
                ObjectNode token = (ObjectNode) ready.getLast().path("token");
                token.put("text", token.path("text").asText() + delta.text());
            }
            if (!ready.isEmpty()) {
                held.add(ready.removeLast());
            }
            return ready;
        }

        @Override
        public ObjectNode ending(Choice choice) {
            ObjectNode event = held.isEmpty()
                    ? JsonNodeFactory.instance
                            .objectNode()
                            .put("index", written)
                            .putNull("token")
                    : held.removeFirst();
            event.put("generated_text", text(choice));
            if (details) {
                ending(event.putObject("details"), choice);
            } else {
                event.putNull("details");
            }
            return event;
        }

        @Override
        public ObjectNode failure(ServiceException error) {
            return Envelope.TGI.json(error);
        }
    }
}
