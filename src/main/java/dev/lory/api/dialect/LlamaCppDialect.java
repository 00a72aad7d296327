package dev.lory.api.dialect;

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
import dev.lory.worker.GenerationEvent.Candidate;
import dev.lory.worker.GenerationEvent.Delta;
import dev.lory.worker.GenerationEvent.Reason;
import dev.lory.worker.GenerationEvent.Token;
import dev.lory.worker.GenerationEvent.Usage;
import dev.lory.worker.Vocabulary;
import java.util.List;

/** {@code /completion} of llama.cpp's server (tools/server/README.md there), with its defaults. */
final class LlamaCppDialect implements Dialect {
    private boolean tokens;
    private boolean probabilities;

    @Override
    public OpenAiRequest read(JsonNode body, Served served, String id) {
        Fields request = new Fields(body);
        tokens = request.flag("return_tokens");
        probabilities = request.integer("n_probs").orElse(0) > 0;
        ObjectNode completion = new Translation(request)
                .same("model", "prompt", "top_k", "top_p", "min_p", "presence_penalty", "frequency_penalty", "stop")
                .same("ignore_eos", "stream", "lora", "adapters", "user")
                .renamed("repeat_penalty", "repetition_penalty")
                .same("temperature")
                .orElse("temperature", 0.8)
                .orElse("top_k", 40)
                .orElse("top_p", 0.95)
                .orElse("min_p", 0.05)
                .refused("grammar", LlamaCppDialect::isNothing)
                .refused("json_schema", LlamaCppDialect::isNothing)
                .refused("mirostat", LlamaCppDialect::isNothing)
                .refused("dry_multiplier", LlamaCppDialect::isNothing)
                .refused("xtc_probability", LlamaCppDialect::isNothing)
                .refused("dynatemp_range", LlamaCppDialect::isNothing)
                .refused("typical_p", LlamaCppDialect::isOne)
                .result();
        completion.put("top_k", (int) completion.path("top_k").asDouble());
        request.integer("n_predict").ifPresent(count -> {
            if (count != -1) {
                completion.put("max_tokens", count);
            }
        });
        request.get("seed")
                .filter(seed -> !seed.isNumber() || seed.asLong() >= 0)
                .ifPresent(seed -> completion.set("seed", seed));
        if (probabilities) {
            completion.put("logprobs", request.integer("n_probs").orElse(0));
        }
        request.get("logit_bias").ifPresent(biases -> completion.set("logit_bias", biases(request, biases)));
        return Endpoint.GENERATE.read(completion, served, id);
    }

    private static boolean isNothing(JsonNode value) {
        return value.isNumber() ? value.asDouble() == 0 : value.asText().isEmpty() && value.isEmpty();
    }

    private static boolean isOne(JsonNode value) {
        return value.isNumber() && value.asDouble() == 1;
    }

    /** Pairs of token id and number, or an object of such; false for a number means never. */
    private static JsonNode biases(Fields request, JsonNode biases) {
        if (!biases.isArray()) {
            return biases;
        }
        ObjectNode object = JsonNodeFactory.instance.objectNode();
        for (JsonNode pair : biases) {
            boolean never = pair.path(1).isBoolean() && !pair.path(1).asBoolean();
            if (!pair.isArray()
                    || pair.size() != 2
                    || !pair.get(0).isInt()
                    || !(pair.get(1).isNumber() || never)) {
                throw request.wrong("logit_bias", "pairs of a token id and a number", pair);
            }
            object.put(pair.get(0).asText(), never ? -100 : pair.get(1).asDouble());
        }
        return object;
    }

    @Override
    public AnswerForm answers(OpenAiRequest request, Vocabulary vocabulary) {
        return new Form(request, vocabulary);
    }

    private final class Form implements AnswerForm {
        private final OpenAiRequest request;
        private final Vocabulary vocabulary;

        Form(OpenAiRequest request, Vocabulary vocabulary) {
            this.request = request;
            this.vocabulary = vocabulary;
        }

        @Override
        public ObjectNode whole(List<Choice> choices) {
            Choice choice = choices.getFirst();
            return end(choice, choice.text(), choice.tokens());
        }

        private ObjectNode end(Choice choice, String text, List<Token> shown) {
            Usage usage = choice.usage();
            ObjectNode node = content(choice, text, shown)
                    .put("id_slot", 0)
                    .put("stop", true)
                    .put("model", request.model())
                    .put("tokens_predicted", usage.completionTokens())
                    .put("tokens_evaluated", usage.promptTokens())
                    .put("tokens_cached", usage.cachedTokens())
                    .put("truncated", false)
                    .put("has_new_line", choice.text().contains("\n"));
            String type = choice.end()
                    .map(end -> switch (end.reason()) {
                        case STOP -> "eos";
                        case STOP_STRING -> "word";
                        case LENGTH -> "limit";
                    })
                    .orElse("none");
            return node.put("stop_type", type).put("stopping_word", stoppingWord(choice));
        }

        /** Known where there was only one. */
        private String stoppingWord(Choice choice) {
            List<String> stops = request.choices().getFirst().sampling().stop();
            boolean stopped = choice.end()
                    .filter(end -> end.reason() == Reason.STOP_STRING)
                    .isPresent();
            return stopped && stops.size() == 1 ? stops.getFirst() : "";
        }

        private ObjectNode content(Choice choice, String text, List<Token> shown) {
            ObjectNode node = JsonNodeFactory.instance
                    .objectNode()
                    .put("index", choice.index())
                    .put("content", text);
            ArrayNode ids = node.putArray("tokens");
            if (tokens) {
                shown.forEach(token -> ids.add(token.id()));
            }
            if (probabilities) {
                ArrayNode list = node.putArray("completion_probabilities");
                shown.forEach(token -> probability(list.addObject(), token));
            }
            return node;
        }

        private void probability(ObjectNode node, Token token) {
            described(node, token.id(), token.logprob());
            ArrayNode top = node.putArray("top_logprobs");
            for (Candidate candidate : token.top()) {
                described(top.addObject(), candidate.id(), candidate.logprob());
            }
        }

        private void described(ObjectNode node, int id, float logprob) {
            node.put("id", id).put("token", vocabulary.text(id));
            ArrayNode bytes = node.putArray("bytes");
            for (byte value : vocabulary.bytes(id)) {
                bytes.add(value & 0xff);
            }
            node.put("logprob", logprob);
        }

        @Override
        public List<ObjectNode> piece(Choice choice, Delta delta) {
            if (delta.text().isEmpty() && !tokens && !probabilities) {
                return List.of();
            }
            return List.of(content(choice, delta.text(), delta.tokens())
                    .put("stop", false)
                    .put("id_slot", 0)
                    .put("tokens_predicted", choice.tokens().size())
                    .put("tokens_evaluated", choice.promptTokenIds().size()));
        }

        @Override
        public ObjectNode ending(Choice choice) {
            return end(choice, "", List.of());
        }

        @Override
        public ObjectNode failure(ServiceException error) {
            return Envelope.LLAMA_CPP.json(error);
        }
    }
}
