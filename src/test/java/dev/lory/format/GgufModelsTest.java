package dev.lory.format;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.lory.model.arch.Architectures;
import dev.lory.tensor.Tensor;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** GGUF files of every architecture against the Hugging Face models and configurations they were made from. */
final class GgufModelsTest {
    private static final Path FIXTURES = Path.of("src/test/resources/fixtures");
    private static final Path CONVERTED = FIXTURES.resolve("gguf/converted");

    /** Keys of config.json that decide what is computed, all that an architecture reads. */
    private static final List<String> KEYS = List.of(
            "architectures",
            "vocab_size",
            "hidden_size",
            "intermediate_size",
            "num_hidden_layers",
            "num_attention_heads",
            "num_key_value_heads",
            "head_dim",
            "max_position_embeddings",
            "original_max_position_embeddings",
            "rms_norm_eps",
            "layer_norm_eps",
            "norm_epsilon",
            "rope_theta",
            "rope_scaling",
            "partial_rotary_factor",
            "sliding_window",
            "attn_logit_softcapping",
            "final_logit_softcapping",
            "query_pre_attn_scalar",
            "num_local_experts",
            "num_experts_per_tok",
            "tie_word_embeddings",
            "attention_bias",
            "mlp_bias",
            "use_bias",
            "hidden_act",
            "hidden_activation",
            "bos_token_id",
            "eos_token_id");

    /** What the format cannot say. */
    private static final Map<String, Set<String>> LOST = Map.of(
            "mistral", Set.of("architectures", "sliding_window"),
            "starcoder2", Set.of("sliding_window"),
            "gemma2", Set.of("query_pre_attn_scalar"));

    static Stream<Path> converted() throws IOException {
        return ggufs(CONVERTED);
    }

    /** Written by llama.cpp itself, in folders with their config.json. */
    static Stream<Path> quantised() throws IOException {
        return ggufs(FIXTURES.resolve("gguf")).filter(file -> !file.startsWith(CONVERTED));
    }

    private static Stream<Path> ggufs(Path folder) throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            return files.filter(file -> file.toString().endsWith(".gguf")).sorted().toList().stream();
        }
    }

    @ParameterizedTest
    @MethodSource("converted")
    void everyTensorIsTheOneOfTheModelTheFileWasMadeFrom(Path file) {
        try (Arena arena = Arena.ofConfined();
                GgufSource actual = GgufSource.open(file);
                SafetensorsSource expected = SafetensorsSource.open(base(file))) {
            assertThat(actual.names()).containsExactlyInAnyOrderElementsOf(expected.names());
            for (String name : expected.names()) {
                Tensor tensor = actual.tensor(name, arena);
                Tensor wanted = expected.tensor(name);
                assertThat(actual.info(name)).as(name).hasToString(tensor.toString());
                assertThat(List.of(tensor.rows(), tensor.cols()))
                        .as(name)
                        .isEqualTo(List.of(wanted.rows(), wanted.cols()));
                boolean offset = name.endsWith("norm.weight") && file.toString().contains("gemma");
                for (int row = 0; row < wanted.rows(); row++) {
                    float[] values = wanted.row(row);
                    for (int i = 0; offset && i < values.length; i++) {
                        // what adding 1 leaves of it
                        values[i] = values[i] + 1 - 1;
                    }
                    assertThat(tensor.row(row)).as("%s[%d]", name, row).isEqualTo(values);
                }
            }
        }
    }

    @ParameterizedTest
    @MethodSource("converted")
    void theMetadataSayWhatTheConfigJsonSays(Path file) throws IOException {
        Map<String, Object> expected = keys(read(base(file).resolve("config.json")));
        Map<String, Object> actual = keys(config(file));
        LOST.getOrDefault(model(file), Set.of()).forEach(key -> {
            assertThat(actual.get(key)).isNotEqualTo(expected.get(key));
            actual.remove(key);
            expected.remove(key);
        });
        assertThat(actual).isEqualTo(expected);
    }

    /** The files that say everything. */
    static Stream<Path> complete() throws IOException {
        return converted().filter(file -> !LOST.containsKey(model(file)));
    }

    @ParameterizedTest
    @MethodSource("complete")
    void theSameIsComputedFromBoth(Path file) {
        try (GgufSource source = GgufSource.open(file)) {
            assertThat(Architectures.spec(source.config()))
                    .isEqualTo(Architectures.spec(ModelConfig.read(base(file).resolve("config.json"))));
        }
    }

    @ParameterizedTest
    @MethodSource("quantised")
    void theMetadataOfLlamaCppsFilesSayWhatTheirConfigJsonSays(Path file) throws IOException {
        assertThat(keys(config(file))).isEqualTo(keys(read(file.resolveSibling("config.json"))));
    }

    @ParameterizedTest
    @MethodSource("quantised")
    void everyTensorOfLlamaCppsFilesIsShownInTheNamesOfItsArchitecture(Path file) throws IOException {
        String architecture = file.getName(file.getNameCount() - 2).toString().replace("-f", "");
        try (Arena arena = Arena.ofConfined();
                GgufSource actual = GgufSource.open(file);
                SafetensorsSource same = SafetensorsSource.open(FIXTURES.resolve("models/" + architecture + "/base"))) {
            Set<String> names = new TreeSet<>(same.names());
            if (actual.has("lm_head.weight")) {
                names.add("lm_head.weight");
            }
            assertThat(actual.names()).containsExactlyInAnyOrderElementsOf(names);
            Map<String, Long> elements = new TreeMap<>();
            for (String name : actual.names()) {
                Tensor tensor = actual.tensor(name, arena);
                assertThat(actual.info(name)).hasToString(tensor.toString());
                elements.merge(tensor.dtype().toString(), (long) tensor.rows() * tensor.cols(), Long::sum);
            }
            assertThat(elements).isEqualTo(storedElements(file));
        }
    }

    /** How many elements of each type llama.cpp's own reader found. */
    private static Map<String, Long> storedElements(Path file) throws IOException {
        Map<String, Long> elements = new TreeMap<>();
        for (JsonNode tensor :
                read(Path.of(file.toString().replace(".gguf", ".tensors.json"))).path("tensors")) {
            long count = 1;
            for (JsonNode dimension : tensor.path("ne")) {
                count *= dimension.asLong();
            }
            elements.merge(tensor.path("type").asText(), count, Long::sum);
        }
        return elements;
    }

    private static String model(Path file) {
        return file.getFileName().toString().replace(".gguf", "");
    }

    private static Path base(Path file) {
        return FIXTURES.resolve("models").resolve(model(file)).resolve("base");
    }

    private static ObjectNode config(Path path) {
        try (Arena arena = MappedFile.arena()) {
            GgufFile file = new GgufFile(path, arena);
            GgufArchitecture architecture = GgufArchitecture.of(file.metadata());
            return GgufConfig.of(file, architecture, new GgufTensors(file, architecture));
        }
    }

    private static ObjectNode read(Path json) throws IOException {
        return (ObjectNode) new ObjectMapper().readTree(json.toFile());
    }

    /** The keys of a configuration in one form: of the two that transformers has, of numbers, of what is absent. */
    private static Map<String, Object> keys(ObjectNode config) {
        JsonNode rope = config.path("rope_parameters");
        if (rope.has("rope_theta")) {
            config.set("rope_theta", rope.get("rope_theta"));
        }
        Map<String, Object> keys = new LinkedHashMap<>();
        for (String key : KEYS) {
            keys.put(key, value(config.path(key)));
        }
        keys.computeIfAbsent("rope_theta", unused -> 10000f);
        keys.computeIfAbsent(
                "head_dim",
                unused -> (float) config.path("hidden_size").asInt()
                        / config.path("num_attention_heads").asInt());
        keys.values().removeIf(value -> value == null || value.equals(false) || value.equals("default"));
        keys.remove("partial_rotary_factor", 1f);
        return keys;
    }

    private static @Nullable Object value(JsonNode node) {
        if (node.isNumber()) {
            // as precise as the file is
            return node.floatValue();
        }
        if (node.isArray() && node.size() == 1) {
            return value(node.get(0));
        }
        if (node.isObject()) {
            Map<String, Object> members = new TreeMap<>();
            node.properties()
                    .forEach(member ->
                            members.put(member.getKey().replaceFirst("^type$", "rope_type"), value(member.getValue())));
            return members;
        }
        if (node.isArray()) {
            return node.valueStream().map(GgufModelsTest::value).toList();
        }
        return node.isMissingNode() || node.isNull()
                ? null
                : node.isBoolean() ? (Object) node.booleanValue() : node.asText();
    }
}
