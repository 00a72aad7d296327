package dev.lory.ordering;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lory.error.ErrorCode;
import dev.lory.error.ServiceException;
import dev.lory.ordering.Ordering.PreloadAdapter;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class OrderingFileTest {
    private static final Path INVALID = Path.of("src/test/resources/fixtures/orderings/invalid");

    @ParameterizedTest
    @CsvSource(
            quoteCharacter = '\0',
            delimiter = '|',
            value = {
                "array|the file is an array",
                "base-model-id-not-string|base_model_id must be a string but is a number",
                "duplicate-key|stands twice",
                "empty-base-model-id|base_model_id is empty",
                "empty|the file is empty",
                "layers-duplicate-index|index 2 stands twice",
                "layers-fraction|must be an integer of at least 0",
                "layers-gap|missing: [3], beyond: [9]",
                "layers-negative|must be an integer of at least 0 but is -1",
                "layers-not-object|layers must be an object of path and index but is an array",
                "layers-string-index|must be an integer of at least 0",
                "missing-base-model-id|base_model_id is required",
                "not-json|the file is not JSON at line 1",
                "order-duplicate|order names `math` twice",
                "order-empty-name|order[1] is empty",
                "order-not-array|order must be an array of strings but is",
                "order-not-strings|order[1] must be a string but is a number",
                "preload-duplicate|`math` is in order and in preload_adapters",
                "preload-missing-id|preload_adapters[0].adapter_model_id is required",
                "preload-not-array|preload_adapters must be an array of objects but is an object",
            })
    void refusesWhatCannotBeMeant(String file, String words) throws IOException {
        byte[] content = Files.readAllBytes(INVALID.resolve(file + ".json"));
        assertThatThrownBy(() -> OrderingFile.parse(content)).isInstanceOfSatisfying(ServiceException.class, e -> {
            assertThat(e.code()).isEqualTo(ErrorCode.INVALID_ORDERING);
            assertThat(e.detail()).contains(words);
        });
    }

    @Test
    void tellsEverythingAtOnceWithItsPath() {
        assertThatThrownBy(() -> parse("""
                        {"order": ["a", "a", 3, "b:c"], "layers": {"x.0": 0, "x.1": 0, "x.2": 1.5},
                         "preload_adapters": [{"name": "a"}, 7, {"name": "p", "adapter_model_id": null, "name": "q"}]}"""))
                .isInstanceOfSatisfying(
                        ServiceException.class,
                        e -> assertThat(paths(e))
                                .containsExactly(
                                        "preload_adapters[2].name",
                                        "base_model_id",
                                        "order[1]",
                                        "order[2]",
                                        "order[3]",
                                        "layers[\"x.1\"]",
                                        "layers[\"x.2\"]",
                                        "preload_adapters[0].adapter_model_id",
                                        "preload_adapters[0].name",
                                        "preload_adapters[1]",
                                        "preload_adapters[2].adapter_model_id"));
    }

    @Test
    void readsWhatIsThereAndIgnoresUnknownKeys() {
        Ordering ordering = parse("""
                {"base_model_id": "b", "order": null, "comment": {"any": []},
                 "layers": {"model.layers.0.self_attn.q_proj": 1, "lm_head": 0},
                 "preload_adapters": [{"name": "math", "adapter_model_id": "adapters/math", "note": 1}]}""");
        assertThat(ordering.order()).isEmpty();
        assertThat(ordering.baseModelId()).isEqualTo("b");
        assertThat(ordering.layers())
                .containsExactly(Map.entry("model.layers.0.self_attn.q_proj", 1), Map.entry("lm_head", 0));
        assertThat(ordering.preloadAdapters()).containsExactly(new PreloadAdapter("math", "adapters/math"));
    }

    @Test
    void refusesMoreThanOneValueAndDeepNesting() {
        assertThatThrownBy(() -> parse("{\"base_model_id\": \"b\"} {}")).hasMessageContaining("more after");
        assertThatThrownBy(() -> parse("{\"base_model_id\": " + "[".repeat(5000)))
                .isInstanceOf(ServiceException.class)
                .hasMessageContaining("not JSON");
    }

    private static Ordering parse(String json) {
        return OrderingFile.parse(json.getBytes(StandardCharsets.UTF_8));
    }

    private static List<Object> paths(ServiceException e) {
        return ((List<?>) e.members().getOrDefault("findings", List.of()))
                .stream()
                        .<Object>map(finding -> ((Map<?, ?>) finding).get("path"))
                        .toList();
    }
}
