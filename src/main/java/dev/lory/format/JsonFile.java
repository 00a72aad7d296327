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
import java.util.Iterator;
import java.util.Map;
import java.util.Optional;

/** A JSON object in a file, read strictly: no duplicate keys, nothing after it. Errors name file, key and value. */
record JsonFile(Path path, ObjectNode root) {
    private static final ObjectReader STRICT = JsonMapper.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build()
            .reader();

    static JsonFile read(Path path) {
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

    /** The value of a key; absent and null are the same. */
    Optional<JsonNode> get(String key) {
        return Optional.ofNullable(root.get(key)).filter(value -> !value.isNull());
    }

    Iterator<Map.Entry<String, JsonNode>> entries() {
        return root.properties().iterator();
    }

    /** The object under a key. */
    Optional<JsonFile> object(String key) {
        return get(key).map(value -> {
            if (value instanceof ObjectNode object) {
                return new JsonFile(path, object);
            }
            throw wrong(key, value, "an object");
        });
    }

    Optional<String> text(String key) {
        return get(key).map(value -> {
            if (!value.isTextual()) {
                throw wrong(key, value, "a string");
            }
            return value.textValue();
        });
    }

    int integer(String key) {
        return asInt(key, get(key).orElseThrow(() -> MappedFile.invalid(path, "has no " + key)));
    }

    int integer(String key, int absent) {
        return get(key).map(value -> asInt(key, value)).orElse(absent);
    }

    double number(String key, double absent) {
        return get(key).map(value -> {
                    if (!value.isNumber()) {
                        throw wrong(key, value, "a number");
                    }
                    return value.doubleValue();
                })
                .orElse(absent);
    }

    boolean flag(String key, boolean absent) {
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

    ServiceException wrong(String key, JsonNode value, String wanted) {
        return MappedFile.invalid(path, key + " is " + value + " but must be " + wanted);
    }
}
