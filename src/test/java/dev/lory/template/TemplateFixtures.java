package dev.lory.template;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Reference data beside the tests, and plain Java values made of it. */
final class TemplateFixtures {
    private static final ObjectMapper JSON = new ObjectMapper();

    private TemplateFixtures() {}

    static JsonNode read(String name) {
        String path = "/fixtures/templates/" + name;
        try (InputStream in = TemplateFixtures.class.getResourceAsStream(path)) {
            if (in == null) {
                throw new IllegalStateException("no test resource " + path);
            }
            return JSON.readTree(in);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static List<Map<String, @Nullable Object>> maps(JsonNode array) {
        return JSON.convertValue(array, new TypeReference<>() {});
    }

    static Map<String, @Nullable Object> map(JsonNode object) {
        return JSON.convertValue(object, new TypeReference<>() {});
    }
}
