package dev.lory.api.openai;

import static dev.lory.error.ServiceException.invalid;

import com.fasterxml.jackson.databind.JsonNode;
import dev.lory.sampling.SamplingParams;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;

/** The sampling fields of both endpoints, under the names of OpenAI and vLLM. */
final class SamplingFields {
    private SamplingFields() {}

    /** All but how many tokens and log-probabilities, which the endpoints ask for in different ways. */
    static SamplingParams.Builder read(Fields body) {
        SamplingParams.Builder params = SamplingParams.builder();
        body.number("temperature", params::temperature);
        body.number("top_p", params::topP);
        body.number("min_p", params::minP);
        // vLLM writes "all tokens" as -1, too.
        body.integer("top_k").ifPresent(k -> params.topK(k == -1 ? 0 : k));
        body.number("repetition_penalty", params::repetitionPenalty);
        body.number("presence_penalty", params::presencePenalty);
        body.number("frequency_penalty", params::frequencyPenalty);
        body.integer("min_tokens").ifPresent(params::minTokens);
        body.get("seed").ifPresent(seed -> {
            if (!seed.canConvertToExactIntegral() || !seed.canConvertToLong()) {
                throw body.wrong("seed", "an integer", seed);
            }
            params.seed(seed.longValue());
        });
        params.logitBias(logitBias(body));
        params.stop(stop(body));
        params.stopTokenIds(integers(body, "stop_token_ids", body.list("stop_token_ids")));
        params.ignoreEos(body.flag("ignore_eos"));
        params.includeStop(body.flag("include_stop_str_in_output"));
        params.skipSpecialTokens(body.get("skip_special_tokens").isEmpty() || body.flag("skip_special_tokens"));
        return params;
    }

    private static Map<Integer, Float> logitBias(Fields body) {
        Map<Integer, Float> biases = new HashMap<>();
        body.get("logit_bias").ifPresent(object -> {
            if (!object.isObject()) {
                throw body.wrong("logit_bias", "an object of token ids and numbers", object);
            }
            object.properties().forEach(entry -> {
                try {
                    biases.put(
                            Integer.parseInt(entry.getKey()),
                            body.number(entry.getValue(), "logit_bias." + entry.getKey()));
                } catch (NumberFormatException e) {
                    throw invalid(
                            "logit_bias", "logit_bias has the key `" + entry.getKey() + "`, which is no token id");
                }
            });
        });
        return biases;
    }

    private static List<String> stop(Fields body) {
        if (body.get("stop").filter(JsonNode::isTextual).isPresent()) {
            return List.of(body.text("stop").orElseThrow());
        }
        List<String> stops = new ArrayList<>();
        for (JsonNode stop : body.list("stop")) {
            if (!stop.isTextual()) {
                throw body.wrong("stop[" + stops.size() + "]", "a string", stop);
            }
            stops.add(stop.textValue());
        }
        return stops;
    }

    static List<Integer> integers(Fields body, String name, Iterable<JsonNode> values) {
        List<Integer> integers = new ArrayList<>();
        for (JsonNode value : values) {
            if (!value.canConvertToExactIntegral() || !value.canConvertToInt()) {
                throw body.wrong(name + "[" + integers.size() + "]", "a token id", value);
            }
            integers.add(value.intValue());
        }
        return integers;
    }

    /** How many log-probabilities a field asks for, within what the service allows. */
    static OptionalInt logprobs(Fields body, String name, int allowed) {
        OptionalInt asked = body.integer(name);
        asked.ifPresent(count -> {
            if (count < -1 || allowed != -1 && (count == -1 || count > allowed)) {
                throw invalid(
                        name,
                        name + " must be between 0 and " + (allowed == -1 ? "the vocabulary's size, or -1" : allowed)
                                + " but is " + count);
            }
        });
        return asked;
    }
}
