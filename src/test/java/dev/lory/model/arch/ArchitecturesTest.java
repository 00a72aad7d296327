package dev.lory.model.arch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.lory.error.ErrorCode;
import dev.lory.error.ServiceException;
import dev.lory.format.ModelConfig;
import dev.lory.kernel.Activation;
import dev.lory.model.DecoderSpec;
import dev.lory.model.LinearSite;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

final class ArchitecturesTest {
    private static final Path REAL = Path.of("src/test/resources/fixtures/orderings/real");
    private static final int ALL = Integer.MAX_VALUE;

    @TempDir
    Path folder;

    /** A small model of an architecture, with some keys changed or added. */
    private DecoderSpec read(String architecture, String keys) throws IOException {
        ObjectMapper json = new ObjectMapper();
        ObjectNode config = (ObjectNode) json.readTree("""
                {"vocab_size": 100, "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 3,
                 "num_attention_heads": 32}""");
        config.putArray("architectures").add(architecture + "ForCausalLM");
        config.setAll((ObjectNode) json.readTree("{" + keys + "}"));
        Path file = folder.resolve("config.json");
        json.writeValue(file.toFile(), config);
        return Architectures.spec(ModelConfig.read(file));
    }

    static Stream<Path> realModels() throws IOException {
        try (Stream<Path> folders = Files.list(REAL)) {
            return folders.sorted().toList().stream();
        }
    }

    @ParameterizedTest
    @MethodSource("realModels")
    void numbersTheLinearsOfARealModelAsTransformersDefinesThem(Path model) throws IOException {
        DecoderSpec spec = Architectures.spec(ModelConfig.read(model.resolve("config.json")));
        JsonNode layers = new ObjectMapper()
                .readTree(model.resolve("ordering.json").toFile())
                .get("layers");
        List<String> byIndex = new ArrayList<>();
        layers.properties().stream()
                .sorted((a, b) ->
                        Integer.compare(a.getValue().asInt(), b.getValue().asInt()))
                .forEach(entry -> byIndex.add(entry.getKey()));
        List<String> paths = new ArrayList<>(spec.linearPaths());
        assertThat(paths.getLast()).isEqualTo("lm_head");
        paths.removeIf(path -> !layers.has(path));
        assertThat(paths).isEqualTo(byIndex).isNotEmpty();
        List<LinearSite> sites = spec.linearSites();
        for (int i = 0; i < sites.size(); i++) {
            assertThat(sites.get(i).index()).isEqualTo(i);
        }
        assertThat(spec.embeddingSite().index()).isEqualTo(sites.size());
    }

    @Test
    void givesEachOutputOfAFusedLinearASiteWithItsRows() throws IOException {
        DecoderSpec spec = read("Phi3", "\"num_key_value_heads\": 8");
        assertThat(spec.linearSites().subList(0, 4))
                .extracting(LinearSite::path)
                .containsExactly(
                        "model.layers.0.self_attn.o_proj",
                        "model.layers.0.self_attn.qkv_proj",
                        "model.layers.0.self_attn.qkv_proj",
                        "model.layers.0.self_attn.qkv_proj");
        assertThat(spec.linearSites().subList(1, 4))
                .extracting(LinearSite::firstRow)
                .containsExactly(0, 64, 80);
        assertThat(spec.linearSites().subList(1, 4))
                .extracting(LinearSite::rows)
                .containsExactly(64, 16, 16);
        assertThat(spec.linearSites().subList(1, 4))
                .extracting(LinearSite::shape)
                .containsOnly(new LinearSite.Shape(96, 64));
    }

    @ParameterizedTest
    @CsvSource({
        "Llama, 32, 2, 2048, 1e-6, 10000, false, SILU",
        "Mistral, 8, 2, 131072, 1e-6, 10000, false, SILU",
        "Mixtral, 8, 2, 131072, 1e-5, 1000000, false, SILU",
        "Gemma, 16, 256, 8192, 1e-6, 10000, true, GELU_TANH",
        "Gemma2, 4, 256, 8192, 1e-6, 10000, true, GELU_TANH",
        "Phi3, 32, 2, 4096, 1e-5, 10000, false, SILU",
        "Starcoder2, 2, 2, 4096, 1e-5, 10000, true, GELU_TANH",
        "Qwen2, 32, 2, 32768, 1e-6, 10000, false, SILU",
        "Qwen3, 32, 128, 32768, 1e-6, 10000, false, SILU"
    })
    void takesAbsentKeysAsTransformersDoes(
            String architecture,
            int kvHeads,
            int headDim,
            int positions,
            float eps,
            double theta,
            boolean tied,
            Activation activation)
            throws IOException {
        DecoderSpec spec = read(architecture, "");
        assertThat(spec.attention().heads().keyValue()).isEqualTo(kvHeads);
        assertThat(spec.attention().heads().dim()).isEqualTo(headDim);
        assertThat(spec.maxPositions()).isEqualTo(positions);
        assertThat(spec.norm().eps()).isEqualTo(eps);
        assertThat(spec.attention().rope().theta()).isEqualTo(theta);
        assertThat(spec.head().tied()).isEqualTo(tied);
        assertThat(
                        switch (spec.mlp()) {
                            case DecoderSpec.Gated gated -> gated.activation();
                            case DecoderSpec.Plain plain -> plain.activation();
                            case DecoderSpec.Experts experts ->
                                experts.experts().getFirst().activation();
                        })
                .isEqualTo(activation);
    }

    @Test
    void rotatesHalfOfAHeadOfPhiUnlessToldOtherwise() throws IOException {
        assertThat(read("Phi", "\"num_attention_heads\": 4").attention().rope().dims())
                .isEqualTo(8);
        assertThat(read("Phi", "\"num_attention_heads\": 4, \"partial_rotary_factor\": 0.25")
                        .attention()
                        .rope()
                        .dims())
                .isEqualTo(4);
        assertThat(read("Phi3", "\"num_attention_heads\": 4, \"rope_parameters\": {\"partial_rotary_factor\": 0.75}")
                        .attention()
                        .rope()
                        .dims())
                .isEqualTo(12);
    }

    @Test
    void readsTheWindowOfEachLayer() throws IOException {
        assertThat(windows("Llama", "")).containsExactly(ALL, ALL, ALL);
        assertThat(windows("Mistral", "")).containsExactly(4096, 4096, 4096);
        assertThat(windows("Mistral", "\"sliding_window\": null")).containsExactly(ALL, ALL, ALL);
        assertThat(windows("Mixtral", "")).containsExactly(ALL, ALL, ALL);
        assertThat(windows("Starcoder2", "\"sliding_window\": 8")).containsExactly(8, 8, 8);
        assertThat(windows("Gemma2", "\"sliding_window\": 8")).containsExactly(8, ALL, 8);
        assertThat(windows("Gemma2", """
                "sliding_window": 8, "layer_types": ["full_attention", "full_attention", "sliding_attention"]""")).containsExactly(ALL, ALL, 8);
        assertThat(windows("Qwen2", "\"sliding_window\": 8, \"max_window_layers\": 1"))
                .containsExactly(ALL, ALL, ALL);
        assertThat(windows("Qwen3", """
                "sliding_window": 8, "max_window_layers": 1, "use_sliding_window": true""")).containsExactly(ALL, 8, 8);
    }

    private List<Integer> windows(String architecture, String keys) throws IOException {
        return read(architecture, keys).attention().scores().windows();
    }

    @Test
    void takesNullCapsAsNone() throws IOException {
        assertThat(read("Gemma2", "").attention().scores().softCap()).isEqualTo(50);
        assertThat(read("Gemma2", "").head().softCap()).isEqualTo(30);
        DecoderSpec without = read("Gemma2", "\"attn_logit_softcapping\": null, \"final_logit_softcapping\": null");
        assertThat(without.attention().scores().softCap()).isZero();
        assertThat(without.head().softCap()).isZero();
    }

    @Test
    void takesGemmasFirstNameOfItsActivationForTheTanhForm() throws IOException {
        for (String keys : List.of("\"hidden_act\": \"gelu\"", """
                "hidden_act": "gelu", "hidden_activation": "gelu_pytorch_tanh"
                """)) {
            assertThat(read("Gemma", keys).mlp())
                    .isInstanceOfSatisfying(
                            DecoderSpec.Gated.class,
                            mlp -> assertThat(mlp.activation()).isEqualTo(Activation.GELU_TANH));
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "Mamba | | architecture MambaForCausalLM is not supported; supported are [LlamaForCausalLM, Mistral",
                "Llama | \"hidden_act\": \"relu2\" | hidden_act is relu2; supported are silu",
                "Gemma2 | \"hidden_activation\": \"quick_gelu\" | hidden_activation is quick_gelu",
                "Llama | \"sliding_window\": 4096 | sliding_window is 4096, which LlamaForCausalLM does not have",
                "Mistral | \"sliding_window\": 0 | sliding_window is 0 but must be at least 1",
                "Mistral | \"sliding_window\": \"all\" | sliding_window is \"all\" but must be an integer",
                "Qwen2 | \"layer_types\": [\"full_attention\"] | layer_types has 1 entries but num_hidden_layers is 3",
                "Qwen2 | \"layer_types\": [\"full_attention\", \"chunked_attention\", \"full_attention\"] | layer_types has chunked_attention",
                "Qwen2 | \"layer_types\": [\"full_attention\", \"sliding_attention\", \"full_attention\"] | layer_types asks for sliding_attention but there is no sliding_window",
                "Gemma | \"use_bidirectional_attention\": true | use_bidirectional_attention is true",
                "Mixtral | \"sliding_window\": 8, \"layer_types\": [\"full_attention\", \"sliding_attention\", \"full_attention\"] | layer_types is [full_attention, sliding_attention, full_attention], but all layers of MixtralForCausalLM are alike",
                "Gemma | \"hidden_act\": \"gelu\", \"hidden_activation\": \"silu\" | hidden_activation is not what hidden_act says",
                "Llama | \"attention_bias\": 1 | attention_bias is 1 but must be true or false",
                "Llama | \"partial_rotary_factor\": 0.5 | partial_rotary_factor is 0.5; 1 is the only value that LlamaForCausalLM has",
                "Phi3 | \"partial_rotary_factor\": 1.5 | partial_rotary_factor is 1.5",
                "Phi | \"num_attention_heads\": 16, \"partial_rotary_factor\": 0.75 | partial_rotary_factor is 0.75, which rotates 3 elements of a head of 4",
                "Gemma | \"num_attention_heads\": 8 | num_attention_heads is 8, no multiple of num_key_value_heads, which is 16 where it is absent",
                "Mixtral | \"num_local_experts\": 1 | num_experts_per_tok is 2 but num_local_experts is 1",
                "Gemma2 | \"attn_logit_softcapping\": -1 | attn_logit_softcapping is -1.0 but must be positive",
                "Gemma2 | \"final_logit_softcapping\": 0 | final_logit_softcapping is 0.0 but must be positive",
                "Gemma2 | \"query_pre_attn_scalar\": 0 | query_pre_attn_scalar is 0",
                "Llama | \"rope_scaling\": {\"rope_type\": \"proportional\"} | rope_scaling.rope_type is proportional; supported are default, linear",
                "Llama | \"rope_scaling\": {\"rope_type\": \"linear\"} | has no rope_scaling.factor",
                "Llama | \"rope_scaling\": {\"type\": \"linear\", \"factor\": 0} | rope_scaling.factor is 0.0 but must be positive",
                "Llama | \"rope_scaling\": {\"type\": \"linear\", \"factor\": \"2\"} | rope_scaling.factor is \"2\" but must be a number",
                "Llama | \"rope_scaling\": {\"type\": \"linear\", \"factor\": 2, \"mrope_section\": [1]} | rope_scaling.mrope_section is [1], which is not supported",
                "Llama | \"rope_parameters\": {\"full_attention\": {}} | rope_parameters.full_attention is {}, which is not supported",
                "Llama | \"rope_parameters\": {\"rope_theta\": -1} | rope_parameters.rope_theta is -1.0 but must be positive",
                "Llama | \"rope_scaling\": {\"type\": \"dynamic\", \"factor\": 2} | rope_scaling.rope_type is dynamic, which needs heads wider than 2",
                "Llama | \"rope_scaling\": {\"type\": \"llama3\", \"factor\": 2} | has no rope_scaling.low_freq_factor",
                "Llama | \"rope_scaling\": {\"type\": \"llama3\", \"factor\": 2, \"low_freq_factor\": 4, \"high_freq_factor\": 1} | rope_scaling.high_freq_factor is 1.0 but must be more than low_freq_factor, 4.0",
                "Llama | \"rope_scaling\": {\"type\": \"yarn\", \"factor\": 2, \"beta_fast\": 1, \"beta_slow\": 32} | rope_scaling.beta_fast is 1.0 and beta_slow is 32.0",
                "Phi3 | \"rope_scaling\": {\"type\": \"su\", \"short_factor\": [1]} | rope_scaling.long_factor has 0 numbers, but 1 are wanted",
                "Phi3 | \"rope_scaling\": {\"type\": \"su\", \"short_factor\": [1, 2]} | rope_scaling.short_factor has 2 numbers, but 1 are wanted",
                "Phi3 | \"rope_scaling\": {\"type\": \"su\", \"short_factor\": [0]} | rope_scaling.short_factor is 0.0 but must be positive"
            })
    void refusesWhatItCannotHonourNamingFileKeyAndValue(String architecture, String keys, String message) {
        assertThatThrownBy(() -> read(architecture, keys == null ? "" : keys))
                .isInstanceOfSatisfying(
                        ServiceException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.INVALID_MODEL))
                .hasMessageContaining(message)
                .hasMessageStartingWith(folder.resolve("config.json") + ": ");
    }
}
