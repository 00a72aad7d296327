package dev.lory.ordering;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.lory.ordering.Ordering.PreloadAdapter;
import dev.lory.ordering.OrderingDiff.Change;
import dev.lory.worker.ModelSites;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Ordering files that are made and changed here, beside those that the scripts of mistral.rs make. */
class OrderingGeneratorTest {
    private static final Path REAL = Path.of("src/test/resources/fixtures/orderings/real");
    private static final List<String> SITES =
            List.of("model.layers.0.self_attn.q_proj", "model.layers.0.mlp.up_proj", "lm_head");

    static Stream<Path> realModels() throws IOException {
        try (Stream<Path> folders = Files.list(REAL)) {
            return folders.sorted().toList().stream();
        }
    }

    @ParameterizedTest
    @MethodSource("realModels")
    void givesTheBytesThatTransformersModulesGive(Path model) throws IOException {
        byte[] wanted = Files.readAllBytes(model.resolve("ordering.json"));
        Ordering golden = OrderingFile.parse(wanted);
        List<String> targets = new ArrayList<>();
        for (JsonNode target : new ObjectMapper()
                .readTree(model.resolve("targets.json").toFile())
                .get("targets")) {
            targets.add(target.textValue());
        }
        Ordering made = OrderingGenerator.generate(
                ModelSites.read(model.resolve("config.json")), golden.baseModelId(), targets, golden.order());
        assertThat(new String(OrderingText.write(made), StandardCharsets.UTF_8))
                .isEqualTo(new String(wanted, StandardCharsets.UTF_8));
    }

    @Test
    void matchesWholePathsAndEndsAtADotOnly() {
        assertThat(OrderingGenerator.generate(SITES, "b", List.of("model.layers.0.mlp.up_proj"), List.of("a"))
                        .layers())
                .containsOnlyKeys("model.layers.0.mlp.up_proj");
        assertThatThrownBy(() -> OrderingGenerator.generate(SITES, "b", List.of("q_proj", "proj"), List.of("a")))
                .hasMessage("no linear of the model is called `proj`; it has [q_proj, up_proj, lm_head]");
        assertThatThrownBy(() -> OrderingGenerator.generate(SITES, "b", List.of(), List.of("a")))
                .hasMessageStartingWith("target_modules is empty");
        assertThatThrownBy(() -> OrderingGenerator.generate(SITES, "b", List.of("q_proj"), List.of("a", "a")))
                .hasMessageContaining("order names `a` twice");
    }

    @Test
    void changesOneKeyAndKeepsWhatItDoesNotKnow() {
        byte[] file = "{\"base_model_id\":\"b\",\"note\":\"é\",\"order\":[\"x\"]}".getBytes(StandardCharsets.UTF_8);
        assertThat(text(OrderingText.withOrder(file, List.of("y", "z"))))
                .isEqualTo("{\"base_model_id\": \"b\", \"note\": \"\\u00E9\", \"order\": [\"y\", \"z\"]}");
        assertThat(text(OrderingText.withPreloadAdapters(file, List.of(new PreloadAdapter("p", "hub/p")))))
                .endsWith(
                        "\"order\": [\"x\"], \"preload_adapters\": [{\"name\": \"p\", \"adapter_model_id\": \"hub/p\"}]}");
        assertThatThrownBy(() -> OrderingText.withOrder(file, List.of("y", "y")))
                .hasMessageContaining("twice");
        assertThatThrownBy(() -> OrderingText.withOrder("[]".getBytes(StandardCharsets.UTF_8), List.of()))
                .hasMessageContaining("the file is an array");
    }

    @Test
    void tellsWhatDiffers() {
        Ordering before = parse("{'base_model_id':'b','order':['x','y'],'layers':{'m.0':0,'m.1':1},"
                + "'preload_adapters':[{'name':'p','adapter_model_id':'1'},{'name':'q','adapter_model_id':'1'}]}");
        Ordering after = parse("{'base_model_id':'b','order':['y'],'layers':{'m.0':1,'m.1':0},"
                + "'preload_adapters':[{'name':'q','adapter_model_id':'1'},{'name':'r','adapter_model_id':'2'}]}");
        assertThat(OrderingDiff.between(before, after))
                .containsExactly(
                        new Change("order[0]", "x", "y"),
                        new Change("order[1]", "y", ""),
                        new Change("layers[\"m.0\"]", "0", "1"),
                        new Change("layers[\"m.1\"]", "1", "0"),
                        new Change("preload_adapters[p]", "1", ""),
                        new Change("preload_adapters[r]", "", "2"));
        assertThat(OrderingDiff.between(after, after)).isEmpty();
    }

    private static Ordering parse(String file) {
        return OrderingFile.parse(file.replace('\'', '"').getBytes(StandardCharsets.UTF_8));
    }

    private static String text(byte[] file) {
        return new String(file, StandardCharsets.UTF_8);
    }
}
