package dev.lory.api.openai;

import static dev.lory.error.ServiceException.invalid;

import com.fasterxml.jackson.databind.JsonNode;
import dev.lory.error.ServiceException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Consumer;

/** The fields of a JSON object by type. null counts as absent; a wrong type is an error that names field, found and wanted. */
public final class Fields {
    private final JsonNode object;
    private final String prefix;

    public Fields(JsonNode object) {
        this(object, "");
    }

    private Fields(JsonNode object, String path) {
        this.object = object;
        this.prefix = path.isEmpty() ? "" : path + ".";
        if (!object.isObject()) {
            throw invalid(path, (path.isEmpty() ? "the body" : path) + " must be an object but is " + shown(object));
        }
    }

    /** Of the fields that are there. */
    public List<String> names() {
        List<String> names = new ArrayList<>();
        object.fieldNames().forEachRemaining(names::add);
        return names;
    }

    public Optional<JsonNode> get(String name) {
        return Optional.ofNullable(object.get(name)).filter(value -> !value.isNull());
    }

    public Optional<String> text(String name) {
        return get(name).map(value -> {
            if (!value.isTextual()) {
                throw wrong(name, "a string", value);
            }
            return value.textValue();
        });
    }

    /** False if it is absent. */
    public boolean flag(String name) {
        return flag(name, false);
    }

    public boolean flag(String name, boolean absent) {
        return get(name)
                .map(value -> {
                    if (!value.isBoolean()) {
                        throw wrong(name, "true or false", value);
                    }
                    return value.booleanValue();
                })
                .orElse(absent);
    }

    public OptionalInt integer(String name) {
        Optional<JsonNode> value = get(name);
        if (value.isEmpty()) {
            return OptionalInt.empty();
        }
        if (!value.get().canConvertToExactIntegral() || !value.get().canConvertToInt()) {
            throw wrong(name, "an integer", value.get());
        }
        return OptionalInt.of(value.get().intValue());
    }

    /** Passes a number on, if it is there. */
    public void number(String name, Consumer<Float> to) {
        get(name).ifPresent(value -> to.accept(number(value, name)));
    }

    public float number(JsonNode value, String name) {
        if (!value.isNumber()) {
            throw wrong(name, "a number", value);
        }
        return value.floatValue();
    }

    /** The elements of an array; empty if it is absent. */
    public List<JsonNode> list(String name) {
        List<JsonNode> elements = new ArrayList<>();
        get(name).ifPresent(value -> {
            if (!value.isArray()) {
                throw wrong(name, "an array", value);
            }
            value.forEach(elements::add);
        });
        return elements;
    }

    public Optional<Fields> object(String name) {
        return get(name).map(value -> new Fields(value, prefix + name));
    }

    /** An element of an array as an object; {@code path} is how messages call it. */
    Fields element(JsonNode value, String path) {
        return new Fields(value, prefix + path);
    }

    /** How messages call a field. */
    public String path(String name) {
        return prefix + name;
    }

    public ServiceException wrong(String name, String wanted, JsonNode found) {
        return invalid(prefix + name, prefix + name + " must be " + wanted + " but is " + shown(found));
    }

    static String shown(JsonNode value) {
        String text = value.toString();
        return text.length() > 80 ? text.substring(0, 80) + "…" : text;
    }
}
