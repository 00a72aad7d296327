package dev.lory.ordering;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.lory.error.Finding;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class OrderingValidatorTest {
    private static final Path FIXTURES = Path.of("src/test/resources/fixtures/orderings");
    private static final List<String> LLAMA = List.of(
            "self_attn.q_proj",
            "self_attn.k_proj",
            "self_attn.v_proj",
            "self_attn.o_proj",
            "mlp.gate_proj",
            "mlp.up_proj",
            "mlp.down_proj");

    @ParameterizedTest
    @CsvSource({
        "xlora-paper-ordering, HuggingFaceH4/zephyr-7b-beta, 32, 160, 9",
        "xlora-gemma-paper-ordering, google/gemma-7b-it, 28, 196, 4",
        "lora-paper-ordering, HuggingFaceH4/zephyr-7b-beta, 32, 0, 1",
        "demo, HuggingFaceTB/SmolLM2-135M-Instruct, 30, 0, 0"
    })
    void takesEveryShippedFileForItsModel(String name, String base, int layers, int indices, int order)
            throws IOException {
        Ordering ordering = read(Path.of("orderings", name + ".json"));
        assertThat(OrderingValidator.validate(ordering, sites(layers), base)).isEmpty();
        assertThat(ordering.baseModelId()).isEqualTo(base);
        assertThat(ordering.layers()).hasSize(indices);
        assertThat(ordering.order()).hasSize(order);
    }

    @ParameterizedTest
    @CsvSource({"zephyr-7b-beta, xlora-paper-ordering", "gemma-7b-it, xlora-gemma-paper-ordering"})
    void shipsWhatTheModulesOfTheRealModelsGive(String model, String shipped) throws IOException {
        Ordering real = read(FIXTURES.resolve("real").resolve(model).resolve("ordering.json"));
        Ordering ours = read(Path.of("orderings", shipped + ".json"));
        assertThat(List.copyOf(ours.layers().entrySet()))
                .isEqualTo(List.copyOf(real.layers().entrySet()));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "gemma-2-2b",
                "gemma-7b-it",
                "llama-3-8b",
                "mixtral-8x7b",
                "phi-2",
                "phi-3-mini-4k-instruct",
                "starcoder2-3b",
                "zephyr-7b-beta"
            })
    void takesWhatWasMadeForTheModel(String model) throws IOException {
        Ordering ordering = read(FIXTURES.resolve("real").resolve(model).resolve("ordering.json"));
        List<String> sites = ordering.layers().entrySet().stream()
                .sorted(Map.Entry.comparingByValue())
                .map(Map.Entry::getKey)
                .toList();
        assertThat(OrderingValidator.validate(ordering, sites, ordering.baseModelId()))
                .isEmpty();
    }

    @Test
    void saysInTheWordsOfMistralRsWhichModulesThereAre() throws IOException {
        assertThat(errors("layers-unknown-module"))
                .containsExactly(
                        "Got a layer name `model.layers.0.self_attn.qkv_proj` in the ordering, expected it to end"
                                + " with one of [\"self_attn.q_proj\", \"self_attn.k_proj\", \"self_attn.v_proj\","
                                + " \"self_attn.o_proj\", \"mlp.up_proj\", \"mlp.down_proj\", \"mlp.gate_proj\", \"lm_head\"]");
        assertThat(errors("layers-wrong-architecture"))
                .singleElement()
                .asString()
                .contains("`transformer.h.0.attn.c_attn`");
    }

    @Test
    void listsTheModulesOfPhi3AsMistralRsDoes() {
        List<String> sites = List.of(
                "model.layers.0.self_attn.o_proj",
                "model.layers.0.self_attn.qkv_proj",
                "model.layers.0.mlp.gate_up_proj",
                "model.layers.0.mlp.down_proj",
                "lm_head");
        Ordering ordering = new Ordering(List.of(), Map.of("model.layers.0.self_attn.q_proj", 0), "b", List.of());
        assertThat(OrderingValidator.validate(ordering, sites, "b"))
                .extracting(Finding::detail)
                .containsExactly(
                        "Got a layer name `model.layers.0.self_attn.q_proj` in the ordering, expected it to end with one"
                                + " of [\"self_attn.qkv_proj\", \"self_attn.o_proj\", \"mlp.gate_up_proj\","
                                + " \"mlp.down_proj\", \"lm_head\"]");
    }

    /** It ends as wanted, so that sentence would be no help. */
    @Test
    void namesAPathThatIsNoneOfTheModels() {
        Ordering ordering =
                new Ordering(List.of(), Map.of("base_model.model.model.layers.0.self_attn.q_proj", 0), "b", List.of());
        assertThat(OrderingValidator.validate(ordering, sites(2), "b"))
                .extracting(Finding::detail)
                .containsExactly("the model has no `base_model.model.model.layers.0.self_attn.q_proj`; its 2 layers are"
                        + " `model.layers.0` to `model.layers.1`");
    }

    @Test
    void namesALayerBeyondTheModel() throws IOException {
        assertThat(errors("layers-unknown-layer"))
                .containsExactly(
                        "the model has no `model.layers.7.self_attn.q_proj`; its 2 layers are `model.layers.0` to"
                                + " `model.layers.1`");
    }

    @Test
    void warnsOfAnOrderThatIsNotTheModels() throws IOException {
        Ordering ordering = read(FIXTURES.resolve("invalid/layers-out-of-definition-order.json"));
        assertThat(OrderingValidator.validate(ordering, sites(2), ordering.baseModelId()))
                .singleElement()
                .satisfies(finding -> {
                    assertThat(finding.severity()).isEqualTo(Finding.Severity.WARNING);
                    assertThat(finding.detail()).contains("index 0", "v_proj", "q_proj");
                });
    }

    @Test
    void warnsOfAnotherBase() {
        Ordering ordering = new Ordering(List.of(), new LinkedHashMap<>(), "org/base", List.of());
        assertThat(OrderingValidator.validate(ordering, sites(2), "served"))
                .singleElement()
                .extracting(Finding::severity)
                .isEqualTo(Finding.Severity.WARNING);
    }

    @Test
    void shipsASchemaWithTheFieldsOfTheRecord() throws IOException {
        JsonNode schema = new ObjectMapper()
                .readTree(Path.of("orderings/ordering.schema.json").toFile());
        JsonNode record = new ObjectMapper().valueToTree(new Ordering(List.of(), Map.of(), "base", List.of()));
        assertThat(schema.at("/properties").fieldNames())
                .toIterable()
                .containsExactlyInAnyOrderElementsOf(record::fieldNames);
        assertThat(schema.at("/required").toString()).isEqualTo("[\"base_model_id\"]");
    }

    private static List<String> errors(String file) throws IOException {
        Ordering ordering = read(FIXTURES.resolve("invalid").resolve(file + ".json"));
        return OrderingValidator.validate(ordering, sites(2), ordering.baseModelId()).stream()
                .filter(finding -> finding.severity() == Finding.Severity.ERROR)
                .map(Finding::detail)
                .toList();
    }

    private static Ordering read(Path file) throws IOException {
        return OrderingFile.parse(Files.readAllBytes(file));
    }

    private static List<String> sites(int layers) {
        List<String> sites = new ArrayList<>();
        for (int layer = 0; layer < layers; layer++) {
            for (String module : LLAMA) {
                sites.add("model.layers." + layer + "." + module);
            }
        }
        sites.add("lm_head");
        return sites;
    }
}
