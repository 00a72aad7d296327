package dev.lory.tokenizer;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;

/** Reference data beside the tests. */
final class TokenizerFixtures {
    static final Path ROOT = Path.of("src/test/resources/fixtures");
    static final Path DEMO = Path.of("models/smollm2-135m-instruct");

    private TokenizerFixtures() {}

    /** The folders below {@code name} that have such a file. */
    static Stream<Path> folders(String name, String file) {
        try (Stream<Path> all = Files.list(ROOT.resolve(name))) {
            return all.filter(folder -> Files.exists(folder.resolve(file))).sorted().toList().stream();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static JsonNode golden(Path folder) {
        return json(folder.resolve("golden.json"));
    }

    static JsonNode json(Path path) {
        try {
            return new ObjectMapper().readTree(path.toFile());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static int[] ids(JsonNode list) {
        return StreamSupport.stream(list.spliterator(), false)
                .mapToInt(JsonNode::asInt)
                .toArray();
    }

    static List<String> strings(JsonNode list) {
        return StreamSupport.stream(list.spliterator(), false)
                .map(JsonNode::textValue)
                .toList();
    }
}
