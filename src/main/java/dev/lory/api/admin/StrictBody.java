package dev.lory.api.admin;

import static dev.lory.error.ServiceException.invalid;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.lory.api.ErrorMapper;
import dev.lory.error.ServiceException;
import dev.lory.worker.GenerationRequest.WeightedAdapter;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.Set;

/** A JSON object of a request, read strictly: no unknown field, no field twice, no value of another type. */
final class StrictBody {
    private static final JsonMapper MAPPER = JsonMapper.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build();

    private final JsonNode object;
    /** How messages call what is in it: this and the field. */
    private final String prefix;

    private StrictBody(JsonNode object, String prefix) {
        this.object = object;
        this.prefix = prefix;
    }

    /** @throws ServiceException {@code INVALID_REQUEST} naming what is wrong, as every method here */
    static StrictBody read(byte[] body, Set<String> fields) {
        try {
            JsonNode node = MAPPER.readTree(body);
            if (node == null || !node.isObject()) {
                throw invalid("body", "the body must be a JSON object with " + String.join(", ", fields));
            }
            refuseUnknown(node, "", fields);
            return new StrictBody(node, "");
        } catch (JsonProcessingException e) {
            throw ErrorMapper.explained(e);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** A required array of strings. */
    List<String> names(String field) {
        List<String> names = new ArrayList<>();
        for (JsonNode value : array(field)) {
            names.add(text(value, prefix + field + "[" + names.size() + "]"));
        }
        return names;
    }

    /** A required string. */
    String required(String field) {
        return text(object.path(field), prefix + field);
    }

    /** A string that may be left out. */
    Optional<String> text(String field) {
        return object.has(field) ? Optional.of(text(object.get(field), prefix + field)) : Optional.empty();
    }

    /** A required array of names, or of objects with name and weight. */
    List<WeightedAdapter> adapters(String field) {
        List<WeightedAdapter> adapters = new ArrayList<>();
        for (JsonNode value : array(field)) {
            String path = prefix + field + "[" + adapters.size() + "]";
            adapters.add(value.isObject() ? weighted(value, path) : new WeightedAdapter(text(value, path), 1));
        }
        return adapters;
    }

    private static WeightedAdapter weighted(JsonNode value, String path) {
        StrictBody adapter = object(value, path, Set.of("name", "weight"));
        return new WeightedAdapter(adapter.required("name"), (float) adapter.number("weight", 1));
    }

    /** A required array of objects with these fields. */
    List<StrictBody> objects(String field, Set<String> fields) {
        List<StrictBody> objects = new ArrayList<>();
        for (JsonNode value : array(field)) {
            objects.add(object(value, prefix + field + "[" + objects.size() + "]", fields));
        }
        return objects;
    }

    /** An object with these fields that may be left out. */
    Optional<StrictBody> object(String field, Set<String> fields) {
        return object.has(field) ? Optional.of(object(object.get(field), prefix + field, fields)) : Optional.empty();
    }

    boolean has(String field) {
        return object.has(field);
    }

    /** A required array of numbers. */
    List<Double> numbers(String field) {
        List<Double> numbers = new ArrayList<>();
        for (JsonNode value : array(field)) {
            String path = prefix + field + "[" + numbers.size() + "]";
            if (!value.isNumber()) {
                throw invalid(path, path + " must be a number but is " + value);
            }
            numbers.add(value.doubleValue());
        }
        return numbers;
    }

    /** One of the words that an enum's constants are in lower case, or {@code absent} if it is left out. */
    <E extends Enum<E>> E word(String field, Class<E> type, E absent) {
        Optional<String> word = text(field);
        List<String> words = Arrays.stream(type.getEnumConstants())
                .map(constant -> constant.name().toLowerCase(Locale.ROOT))
                .toList();
        if (word.isPresent() && !words.contains(word.get())) {
            throw refused(field, "must be one of " + words + " but is " + word.get());
        }
        return word.map(found -> Enum.valueOf(type, found.toUpperCase(Locale.ROOT)))
                .orElse(absent);
    }

    /** That a field is not what it must be. */
    ServiceException refused(String field, String why) {
        return invalid(prefix + field, prefix + field + " " + why);
    }

    private static StrictBody object(JsonNode value, String path, Set<String> fields) {
        if (!value.isObject()) {
            throw invalid(path, path + " must be an object but is " + value);
        }
        refuseUnknown(value, path + ".", fields);
        return new StrictBody(value, path + ".");
    }

    /** A number, or {@code absent} if it is left out. */
    double number(String field, double absent) {
        JsonNode value = object.path(field);
        if (!value.isMissingNode() && !value.isNumber()) {
            throw invalid(prefix + field, prefix + field + " must be a number but is " + value);
        }
        return value.asDouble(absent);
    }

    /** As JSON Merge Patch (RFC 7396) has it: a number is the new value, null is none, and what is left out stays {@code now}. */
    OptionalDouble patched(String field, OptionalDouble now) {
        if (!object.has(field)) {
            return now;
        }
        return object.get(field).isNull() ? OptionalDouble.empty() : OptionalDouble.of(number(field, 0));
    }

    /** As {@link #patched(String, OptionalDouble)}, for whole numbers. */
    OptionalInt patched(String field, OptionalInt now) {
        JsonNode value = object.path(field);
        if (value.isMissingNode() || value.isNull()) {
            return value.isNull() ? OptionalInt.empty() : now;
        }
        if (!value.isInt()) {
            throw refused(field, "must be a whole number but is " + value);
        }
        return OptionalInt.of(value.intValue());
    }

    private JsonNode array(String field) {
        JsonNode value = object.path(field);
        if (!value.isArray()) {
            String path = prefix + field;
            throw invalid(
                    path, value.isMissingNode() ? path + " is required" : path + " must be an array but is " + value);
        }
        return value;
    }

    private static String text(JsonNode value, String path) {
        if (!value.isTextual()) {
            throw invalid(
                    path, value.isMissingNode() ? path + " is required" : path + " must be a string but is " + value);
        }
        return value.textValue();
    }

    private static void refuseUnknown(JsonNode object, String prefix, Set<String> fields) {
        for (Map.Entry<String, JsonNode> field : object.properties()) {
            if (!fields.contains(field.getKey())) {
                String path = prefix + field.getKey();
                throw invalid(
                        path,
                        path + " is not a field here; there are "
                                + fields.stream().sorted().toList());
            }
        }
    }
}
