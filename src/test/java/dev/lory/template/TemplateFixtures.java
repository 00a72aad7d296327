package dev.lory.template;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Reference data beside the tests, and plain Java values made of it. */
final class TemplateFixtures {
    private static final ObjectMapper JSON = new ObjectMapper();

    private TemplateFixtures() {}

    /** The files of the folder; what has conversations in it is a template with what it renders. */
    static List<String> names() {
        try (Stream<Path> files = Files.list(Path.of("src/test/resources/fixtures/templates"))) {
            return files.map(file -> file.getFileName().toString())
                    .filter(name -> name.endsWith(".json"))
                    .sorted()
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

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
