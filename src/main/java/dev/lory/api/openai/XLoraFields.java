package dev.lory.api.openai;

import static dev.lory.error.ServiceException.invalid;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.lory.worker.XLoraOptions;
import dev.lory.worker.XLoraOptions.Detail;
import dev.lory.xlora.XLoraOverrides;
import dev.lory.xlora.XLoraScalings;
import java.util.List;
import java.util.OptionalDouble;
import java.util.stream.Stream;

/** What requests and answers have for an X-LoRA: fields {@code xlora} and {@code adapter_scalings}. */
final class XLoraFields {
    private static final String PREFIX = "xlora.";
    private static final List<String> KNOWN =
            List.of("top_k", "softmax_temperature", "global_scaling_weight", "non_granular_index");

    private XLoraFields() {}

    /** @throws dev.lory.error.ServiceException {@code INVALID_REQUEST} naming the field */
    static XLoraOptions read(Fields body) {
        Detail detail = body.text("adapter_scalings").map(XLoraFields::detail).orElse(Detail.NONE);
        Fields fields = body.object("xlora").orElse(new Fields(JsonNodeFactory.instance.objectNode()));
        for (String name : fields.names()) {
            if (!KNOWN.contains(name)) {
                throw invalid(PREFIX + name, PREFIX + name + " is not a field here; there are " + KNOWN);
            }
        }
        XLoraOverrides overrides = new XLoraOverrides(
                fields.integer("top_k"),
                number(fields, "softmax_temperature"),
                number(fields, "global_scaling_weight"),
                fields.integer("non_granular_index"));
        overrides.check(PREFIX);
        return new XLoraOptions(overrides, detail);
    }

    private static Detail detail(String text) {
        return switch (text) {
            case "none" -> Detail.NONE;
            case "summary" -> Detail.SUMMARY;
            case "full" -> Detail.FULL;
            default ->
                throw invalid("adapter_scalings", "adapter_scalings must be none, summary or full but is " + text);
        };
    }

    private static OptionalDouble number(Fields fields, String name) {
        return fields.get(name)
                .map(value -> OptionalDouble.of(fields.number(value, name)))
                .orElse(OptionalDouble.empty());
    }

    /**
     * {@code {"adapters", "tokens", "mean"}}, and in full {@code "sites"}, {@code "texts": [token]} and
     * {@code "scalings": [token][site][adapter]}.
     *
     * @param texts of the tokens, at least as many as have scalings
     */
    static ObjectNode write(XLoraScalings scalings, Detail detail, Stream<String> texts) {
        ObjectNode node = JsonNodeFactory.instance.objectNode();
        scalings.adapters().forEach(node.putArray("adapters")::add);
        node.put("tokens", scalings.values().size());
        ArrayNode mean = node.putArray("mean");
        for (double value : scalings.mean()) {
            mean.add((float) value);
        }
        if (detail == Detail.FULL) {
            scalings.sites().forEach(node.putArray("sites")::add);
            texts.limit(scalings.values().size()).forEach(node.putArray("texts")::add);
            ArrayNode tokens = node.putArray("scalings");
            int adapters = scalings.adapters().size();
            for (float[] values : scalings.values()) {
                ArrayNode token = tokens.addArray();
                for (int from = 0; from < values.length; from += adapters) {
                    ArrayNode site = token.addArray();
                    for (int i = from; i < from + adapters; i++) {
                        site.add(values[i]);
                    }
                }
            }
        }
        return node;
    }
}
