package dev.lory.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.lory.error.ServiceException;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.Writer;
import java.util.Optional;
import java.util.function.UnaryOperator;

/**
 * Lines of JSON objects, each answered by a line before the next is read, so that another program can ask and wait. What is wrong with a
 * line is its answer, {@code {"error": …}}; blank lines are passed over.
 */
final class JsonLines {
    /** Rejects what a reader of JSON may not guess at: two values on a line, a name given twice. */
    static final ObjectMapper JSON = new ObjectMapper()
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .enable(DeserializationFeature.FAIL_ON_READING_DUP_TREE_KEY);

    private JsonLines() {}

    static void answer(BufferedReader lines, Writer answers, UnaryOperator<ObjectNode> answer) throws IOException {
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            if (!line.isBlank()) {
                answers.write(JSON.writeValueAsString(answered(line, answer)));
                answers.write('\n');
                answers.flush();
            }
        }
    }

    private static ObjectNode answered(String line, UnaryOperator<ObjectNode> answer) {
        try {
            return JSON.readTree(line) instanceof ObjectNode object
                    ? answer.apply(object)
                    : error("a line must be a JSON object but is " + line.strip());
        } catch (JsonProcessingException e) {
            return error("the line is not JSON: " + e.getOriginalMessage());
        } catch (ServiceException e) {
            return error(e.detail());
        }
    }

    private static ObjectNode error(String sentence) {
        return JsonNodeFactory.instance.objectNode().put("error", sentence);
    }

    /** A string; empty if it is absent or null. */
    static Optional<String> text(ObjectNode line, String field) {
        return get(line, field).map(value -> {
            if (!value.isTextual()) {
                throw wrong(field, "a string", value);
            }
            return value.textValue();
        });
    }

    static boolean flag(ObjectNode line, String field, boolean absent) {
        return get(line, field)
                .map(value -> {
                    if (!value.isBoolean()) {
                        throw wrong(field, "true or false", value);
                    }
                    return value.booleanValue();
                })
                .orElse(absent);
    }

    static Optional<JsonNode> get(ObjectNode line, String field) {
        return Optional.ofNullable(line.get(field)).filter(value -> !value.isNull());
    }

    static ServiceException wrong(String field, String wanted, JsonNode found) {
        return ServiceException.invalid(field, field + " must be " + wanted + " but is " + found);
    }

    static ServiceException missing(String field) {
        return ServiceException.invalid(field, field + " is missing");
    }
}
