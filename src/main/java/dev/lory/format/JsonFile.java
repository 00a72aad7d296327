package dev.lory.format;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectReader;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.lory.error.ServiceException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Predicate;

/**
 * A JSON object in a file, read strictly: no duplicate keys, nothing after it. Every getter throws {@code INVALID_MODEL} naming file,
 * key, value and what is wanted.
 *
 * @param prefix of the keys in messages, for an object within an object; empty for the file's own
 */
public record JsonFile(Path path, String prefix, ObjectNode root) {
    private static final ObjectReader STRICT = JsonMapper.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build()
            .reader();

    JsonFile(Path path, ObjectNode root) {
        this(path, "", root);
    }

    /** @throws ServiceException {@code INVALID_MODEL} naming the file */
    public static JsonFile read(Path path) {
        try {
            return parse(path, Files.readAllBytes(path));
        } catch (IOException e) {
            throw MappedFile.invalid(path, "cannot be read: " + e);
        }
    }

    /** Reads {@code json}, which is all or a part of the file {@code path}. */
    static JsonFile parse(Path path, byte[] json) {
        try {
            if (STRICT.readTree(json) instanceof ObjectNode object) {
                return new JsonFile(path, object);
            }
            throw MappedFile.invalid(path, "holds JSON that is not an object");
        } catch (JsonProcessingException e) {
            throw MappedFile.invalid(path, "holds no valid JSON: " + e.getOriginalMessage());
        } catch (IOException e) {
            throw MappedFile.invalid(path, "holds no valid JSON: " + e.getMessage());
        }
    }

    /** Whether a key is there, if only with the value null. */
    public boolean has(String key) {
        return root.has(key);
    }

    /** The value of a key; absent and null are the same. */
    public Optional<JsonNode> get(String key) {
        return Optional.ofNullable(root.get(key)).filter(value -> !value.isNull());
    }

    Iterator<Map.Entry<String, JsonNode>> entries() {
        return root.properties().iterator();
    }

    /** The object under a key. */
    public Optional<JsonFile> object(String key) {
        return get(key).map(value -> {
            if (value instanceof ObjectNode object) {
                return new JsonFile(path, prefix + key + ".", object);
            }
            throw wrong(key, value, "an object");
        });
    }

    public Optional<String> text(String key) {
        return get(key).map(value -> {
            if (!value.isTextual()) {
                throw wrong(key, value, "a string");
            }
            return value.textValue();
        });
    }

    /** A list of strings; empty if absent. */
    public List<String> texts(String key) {
        return elements(key, JsonNode::isTextual, JsonNode::textValue, "a list of strings");
    }

    /** A list of numbers; empty if absent. */
    public List<Double> numbers(String key) {
        return elements(key, JsonNode::isNumber, JsonNode::doubleValue, "a list of numbers");
    }

    private <T> List<T> elements(String key, Predicate<JsonNode> isOne, Function<JsonNode, T> value, String wanted) {
        List<T> values = new ArrayList<>();
        get(key).ifPresent(array -> {
            if (!array.isArray()) {
                throw wrong(key, array, wanted);
            }
            for (JsonNode element : array) {
                if (!isOne.test(element)) {
                    throw wrong(key, array, wanted);
                }
                values.add(value.apply(element));
            }
        });
        return values;
    }

    public int integer(String key) {
        return asInt(key, get(key).orElseThrow(() -> invalid("has no " + prefix + key)));
    }

    public int integer(String key, int absent) {
        return get(key).map(value -> asInt(key, value)).orElse(absent);
    }

    /** A whole number of at least 1. */
    public int count(String key) {
        return atLeastOne(key, integer(key));
    }

    /** A whole number of at least 1, or {@code absent}. */
    public int count(String key, int absent) {
        return atLeastOne(key, integer(key, absent));
    }

    private int atLeastOne(String key, int value) {
        if (value < 1) {
            throw invalid(prefix + key + " is " + value + " but must be at least 1");
        }
        return value;
    }

    public double number(String key) {
        if (get(key).isEmpty()) {
            throw invalid("has no " + prefix + key);
        }
        return number(key, 0);
    }

    public double number(String key, double absent) {
        return get(key).map(value -> {
                    if (!value.isNumber()) {
                        throw wrong(key, value, "a number");
                    }
                    return value.doubleValue();
                })
                .orElse(absent);
    }

    public boolean flag(String key, boolean absent) {
        return get(key).map(value -> {
                    if (!value.isBoolean()) {
                        throw wrong(key, value, "true or false");
                    }
                    return value.booleanValue();
                })
                .orElse(absent);
    }

    int asInt(String key, JsonNode value) {
        if (!value.isIntegralNumber() || !value.canConvertToInt()) {
            throw wrong(key, value, "an integer");
        }
        return value.intValue();
    }

    public ServiceException wrong(String key, JsonNode value, String wanted) {
        return invalid(prefix + key + " is " + value + " but must be " + wanted);
    }

    /** @param detail says what is wrong with what is in here */
    public ServiceException invalid(String detail) {
        return MappedFile.invalid(path, detail);
    }
}
