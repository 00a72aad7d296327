package dev.lory.adapter;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lory.error.ErrorCode;
import dev.lory.error.ServiceException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** {@code adapter_config.json} as PEFT 0.21 understands it. */
final class PeftConfigTest {
    private static final String Q = "model.layers.3.self_attn.q_proj";
    private static final String V = "model.layers.3.self_attn.v_proj";
    private static final String DOWN = "model.layers.12.mlp.down_proj";
    private static final String EXPERT = "model.layers.1.block_sparse_moe.experts.0.w2";
    private static final List<String> PATHS = List.of(Q, V, DOWN, EXPERT, "lm_head");

    @TempDir
    Path folder;

    private PeftConfig config(String fields) throws IOException {
        Path file = folder.resolve("adapter_config.json");
        Files.writeString(file, "{\"peft_type\": \"LORA\", " + fields + "}");
        return PeftConfig.read(file);
    }

    private PeftConfig targets(String fields) throws IOException {
        return config(fields + ", \"r\": 4");
    }

    @Test
    void scaleIsAlphaOverRankRoundedOnce() throws IOException {
        String targets = ", \"target_modules\": [\"q_proj\"]";
        assertThat(config("\"r\": 16, \"lora_alpha\": 32" + targets).scale(Q)).isEqualTo(2f);
        assertThat(config("\"r\": 3, \"lora_alpha\": 0.1" + targets).scale(Q)).isEqualTo((float) (0.1 / 3));
        assertThat(config("\"r\": 7, \"lora_alpha\": 16, \"use_rslora\": true" + targets)
                        .scale(Q))
                .isEqualTo((float) (16 / Math.sqrt(7)));
    }

    @Test
    void rankAndAlphaAreEightWhereTheFileSaysNothing() throws IOException {
        PeftConfig config = config("\"target_modules\": [\"q_proj\"]");

        assertThat(config.rank(Q)).isEqualTo(8);
        assertThat(config.scale(Q)).isEqualTo(1f);
    }

    /** Whatever a hash of the keys would say: ten keys that all match, and each in turn is the first. */
    @Test
    void theFirstPatternInTheOrderOfTheFileCounts() throws IOException {
        List<String> keys = List.of(
                "q_proj",
                ".*",
                ".*proj",
                "self_attn.q_proj",
                "layers.3.*",
                "layers.[0-9].*",
                "q_.*",
                "[a-z]_proj",
                ".+q.*",
                Q);
        for (int first = 0; first < keys.size(); first++) {
            StringBuilder patterns = new StringBuilder();
            for (int i = 0; i < keys.size(); i++) {
                int key = (first + i) % keys.size();
                patterns.append(i == 0 ? "" : ",").append("\"%s\": %d".formatted(keys.get(key), 1 + key));
            }
            PeftConfig config = targets("\"target_modules\": [\"q_proj\"], \"rank_pattern\": {" + patterns
                    + "}, \"lora_alpha\": 2, \"alpha_pattern\": {" + patterns + "}");
            assertThat(config.rank(Q)).as("%s", patterns).isEqualTo(1 + first);
            assertThat(config.scale(Q)).isEqualTo(1f);
        }
    }

    @Test
    void patternsMatchTheEndOfAPathAtADot() throws IOException {
        PeftConfig config = targets(
                "\"target_modules\": [\"q_proj\"], \"rank_pattern\": {\"proj\": 2, \"self_attn\": 3, \"v_proj\": 6}");

        assertThat(config.rank(Q)).isEqualTo(4);
        assertThat(config.rank(V)).isEqualTo(6);
    }

    static Stream<Arguments> targetModules() {
        String list = "\"target_modules\": [\"q_proj\", \"down_proj\", \"w2\", \"" + V + "\"]";
        return Stream.of(
                Arguments.of(list, List.of(Q, V, DOWN, EXPERT)),
                Arguments.of("\"target_modules\": [\"proj\", \"q_proj\"]", List.of(Q)),
                Arguments.of("\"target_modules\": \"all-linear\"", List.of(Q, V, DOWN, EXPERT)),
                Arguments.of(
                        "\"target_modules\": \"ALL-LINEAR\", \"exclude_modules\": \".*mlp.*\"", List.of(Q, V, EXPERT)),
                Arguments.of("\"target_modules\": \".*[qv]_proj\"", List.of(Q, V)),
                Arguments.of("\"target_modules\": \"q_proj\"", List.of()),
                Arguments.of("\"target_modules\": \"(.*\\\\.)?lm_head\"", List.of("lm_head")),
                Arguments.of(list + ", \"exclude_modules\": [\"q_proj\", \"" + DOWN + "\"]", List.of(V, EXPERT)),
                Arguments.of(list + ", \"exclude_modules\": \"\"", List.of(Q, V, DOWN, EXPERT)),
                // listed in full, so in whatever layer
                Arguments.of(
                        "\"target_modules\": [\"q_proj\", \"" + V + "\"], \"layers_to_transform\": 12", List.of(V)),
                Arguments.of(
                        "\"target_modules\": [\"q_proj\", \"down_proj\"], \"layers_to_transform\": [12]",
                        List.of(DOWN)),
                Arguments.of(
                        "\"target_modules\": [\"q_proj\", \"lm_head\"], \"layers_to_transform\": []",
                        List.of(Q, "lm_head")),
                Arguments.of(
                        "\"target_modules\": [\"q_proj\", \"down_proj\"], \"layers_to_transform\": [3, 12], \"layers_pattern\": \"layers\"",
                        List.of(Q, DOWN)),
                Arguments.of(
                        "\"target_modules\": [\"q_proj\", \"down_proj\"], \"layers_to_transform\": [3, 12], \"layers_pattern\": [\"h\", \"blocks\"]",
                        List.of()));
    }

    @ParameterizedTest
    @MethodSource("targetModules")
    void namesTheModulesThatPeftChanges(String fields, List<String> expected) throws IOException {
        TargetModules targets = targets(fields).targets();

        assertThat(PATHS.stream().filter(path -> targets.contains(path, !path.equals("lm_head"))))
                .isEqualTo(expected);
    }

    /** 0.21.2 takes the expert's number, later releases the layer's. */
    @Test
    void layersToTransformIsRefusedWhereReleasesOfPeftDisagree() throws IOException {
        TargetModules targets = targets("\"target_modules\": [\"w2\"], \"layers_to_transform\": [1]")
                .targets();

        assertThatThrownBy(() -> targets.contains(EXPERT, true))
                .isInstanceOf(ServiceException.class)
                .hasMessageContaining("layers_to_transform");
    }

    @Test
    void aRegularExpressionThatTakesTooLongIsRefused() throws IOException {
        TargetModules targets = targets("\"target_modules\": \"(.*)(.*)(.*)(.*)(.*)(.*)(.*)(.*)(.*)!\"")
                .targets();

        assertThatThrownBy(() -> targets.contains(EXPERT, true))
                .isInstanceOf(ServiceException.class)
                .hasMessageContaining("target_modules takes more than");
    }

    static Stream<Arguments> refusals() {
        return Stream.of(
                Arguments.of("\"r\": 0", "r must be at least 1 but is 0"),
                Arguments.of("\"r\": 2.5", "r must be an integer but is 2.5"),
                Arguments.of("\"r\": \"4\"", "r must be an integer but is \"4\""),
                Arguments.of("\"rank_pattern\": {\"q_proj\": 0}", "rank_pattern.q_proj must be at least 1"),
                Arguments.of("\"alpha_pattern\": {\"q_proj\": \"8\"}", "alpha_pattern.q_proj must be a number"),
                Arguments.of("\"rank_pattern\": [1]", "rank_pattern must be an object"),
                Arguments.of("\"lora_alpha\": 1e999", "lora_alpha must be a number"),
                Arguments.of("\"use_rslora\": 1", "use_rslora must be true or false"),
                Arguments.of("\"target_modules\": []", "target_modules names no module"),
                Arguments.of("\"target_modules\": null", "target_modules names no module"),
                Arguments.of("\"target_modules\": [1]", "target_modules must be a string"),
                Arguments.of("\"target_modules\": {}", "target_modules must be a list"),
                Arguments.of("\"target_modules\": \"*.q_proj(\"", "target_modules is no regular expression"),
                Arguments.of("\"target_modules\": \"[a-z&&q]_proj\"", "target_modules has a character class"),
                Arguments.of("\"exclude_modules\": 7", "exclude_modules must be a list"),
                Arguments.of("\"layers_pattern\": \"layers\"", "layers_pattern is there without layers_to_transform"),
                Arguments.of(
                        "\"target_modules\": \".*q_proj\", \"layers_to_transform\": 1",
                        "layers_to_transform and layers_pattern go with a list"),
                Arguments.of("\"layers_to_transform\": [1.5]", "layers_to_transform must be an integer"),
                Arguments.of("\"peft_type\": \"LOHA\"", "peft_type must be \"LORA\" but is \"LOHA\""),
                Arguments.of("\"bias\": \"some\"", "bias must be \"none\", \"all\" or \"lora_only\" but is \"some\""),
                Arguments.of("\"lora_bias\": true", "lora_bias = true"),
                Arguments.of("\"use_qalora\": true", "use_qalora = true"),
                Arguments.of("\"use_bdlora\": {\"nblocks\": 2}", "use_bdlora = "),
                Arguments.of("\"trainable_token_indices\": [5]", "trainable_token_indices = [5]"),
                Arguments.of("\"target_parameters\": [\"mlp.experts\"]", "target_parameters = "),
                Arguments.of("\"layer_replication\": [[0, 4]]", "layer_replication = "),
                Arguments.of("\"alora_invocation_tokens\": []", "alora_invocation_tokens = []"),
                Arguments.of("\"arrow_config\": {}", "arrow_config = {}"),
                Arguments.of("\"kasa_config\": {}", "kasa_config = {}"),
                Arguments.of("\"monteclora_config\": {}", "monteclora_config = {}"),
                Arguments.of("\"megatron_config\": {}", "megatron_config = {}"),
                Arguments.of("\"init_lora_weights\": \"pissa_niter_16\"", "init_lora_weights = \"pissa_niter_16\""),
                Arguments.of("\"init_lora_weights\": \"olora\"", "init_lora_weights = \"olora\""));
    }

    @ParameterizedTest
    @MethodSource("refusals")
    void refusesWhatItCannotHonourNamingTheField(String field, String reason) {
        String targets = field.contains("target_modules") ? "" : ", \"target_modules\": [\"q_proj\"]";
        assertThatThrownBy(() -> config(field + targets))
                .isInstanceOf(ServiceException.class)
                .satisfies(e -> assertThat(((ServiceException) e).code()).isEqualTo(ErrorCode.INVALID_ADAPTER))
                .hasMessageContaining(folder + "/adapter_config.json: " + reason);
    }

    @Test
    void whatOnlyMattersForTrainingPasses() throws IOException {
        PeftConfig config = targets("""
                "target_modules": ["q_proj"], "lora_dropout": 0.1, "init_lora_weights": "gaussian", "inference_mode": false,
                "loftq_config": {}, "eva_config": {"rho": 2.0}, "velora_config": {"num_groups": 64}, "qalora_group_size": 16,
                "megatron_core": "megatron.core", "fan_in_fan_out": true, "runtime_config": {}, "use_bdlora": null, "bias": "none", "peft_version": "0.99",
                "layer_replication": null, "alora_invocation_tokens": null, "a_key_of_the_future": {"a": [1]}""");

        assertThat(config.rank(Q)).isEqualTo(4);
    }
}
