package dev.lory.format;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.BooleanNode;
import dev.lory.error.ErrorCode;
import dev.lory.error.ServiceException;
import dev.lory.tensor.DType;
import dev.lory.tensor.Tensor;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class GgufSourceTest {
    private static final Path DEMO = Path.of("models/smollm2-135m-instruct/SmolLM2-135M-Instruct.Q4_1.gguf");
    private static final Path TINY = Path.of("src/test/resources/fixtures/gguf/llama-f");
    private static final Path VALID = Path.of("src/test/resources/fixtures/malformed/gguf/valid.gguf");

    @Test
    void readsTheConfigurationOfTheDemoModel() throws IOException {
        try (GgufSource source = GgufSource.open(DEMO)) {
            assertThat(source.config().keys().root()).isEqualTo(new ObjectMapper().readTree("""
                    {"architectures": ["LlamaForCausalLM"], "vocab_size": 49152, "hidden_size": 576,
                     "intermediate_size": 1536, "num_hidden_layers": 30, "num_attention_heads": 9,
                     "num_key_value_heads": 3, "head_dim": 64, "max_position_embeddings": 8192,
                     "rms_norm_eps": 9.999999747378752E-6, "rope_theta": 100000.0, "tie_word_embeddings": true,
                     "attention_bias": false, "mlp_bias": false, "bos_token_id": 1, "eos_token_id": [2]}"""));
            assertThat(source.chatTemplate())
                    .hasValueSatisfying(template -> assertThat(template).startsWith("{% for message in messages %}"));
        }
    }

    @Test
    void showsTheTensorsOfTheDemoModelUnderTheirHuggingFaceNames() {
        try (GgufSource source = GgufSource.open(DEMO)) {
            assertThat(source.names()).hasSize(272).doesNotContain("lm_head.weight");
            assertThat(source.tensor("model.embed_tokens.weight")).hasToString("Q8_0[49152, 576]");
            assertThat(source.tensor("model.norm.weight")).hasToString("F32[1, 576]");
            assertThat(source.tensor("model.layers.0.input_layernorm.weight")).hasToString("F32[1, 576]");
            assertThat(source.tensor("model.layers.29.post_attention_layernorm.weight"))
                    .hasToString("F32[1, 576]");
            assertThat(source.tensor("model.layers.29.self_attn.q_proj.weight")).hasToString("Q4_1[576, 576]");
            assertThat(source.tensor("model.layers.29.self_attn.k_proj.weight")).hasToString("Q4_1[192, 576]");
            assertThat(source.tensor("model.layers.29.self_attn.v_proj.weight")).hasToString("Q4_1[192, 576]");
            assertThat(source.tensor("model.layers.29.self_attn.o_proj.weight")).hasToString("Q4_1[576, 576]");
            assertThat(source.tensor("model.layers.29.mlp.gate_proj.weight")).hasToString("Q4_1[1536, 576]");
            assertThat(source.tensor("model.layers.29.mlp.up_proj.weight")).hasToString("Q4_1[1536, 576]");
            assertThat(source.tensor("model.layers.29.mlp.down_proj.weight")).hasToString("Q4_1[576, 1536]");
        }
    }

    @Test
    void agreesWithTheConfigJsonTheFileWasMadeFrom() {
        try (GgufSource source = GgufSource.open(TINY.resolve("llama-f-Q4_1.gguf"))) {
            JsonNode expected =
                    ModelConfig.read(TINY.resolve("config.json")).keys().root();
            source.config().keys().root().properties().forEach(entry -> {
                JsonNode value = entry.getKey().equals("rope_theta")
                        ? expected.at("/rope_parameters/rope_theta")
                        : expected.path(entry.getKey());
                if (!value.isNumber()) { // a bias that LlamaConfig leaves out is none
                    assertThat(entry.getValue()).as(entry.getKey()).isIn(value, BooleanNode.FALSE);
                } else {
                    assertThat(first(entry.getValue()).doubleValue())
                            .as(entry.getKey())
                            .isCloseTo(value.doubleValue(), within(1e-9));
                }
            });
        }
    }

    /** An end token may be a list of one. */
    private static JsonNode first(JsonNode value) {
        return value.isArray() ? value.get(0) : value;
    }

    @ParameterizedTest
    @ValueSource(strings = {"q_proj", "k_proj", "v_proj"})
    void putsRowsBackInTheOrderOfTheModelTheFileWasMadeFrom(String module) {
        String name = "model.layers.0.self_attn." + module + ".weight";
        try (GgufSource quantised = GgufSource.open(TINY.resolve("llama-f-Q4_1.gguf"));
                SafetensorsSource original = SafetensorsSource.open(TINY.resolve("attention-of-layer-0.safetensors"))) {
            Tensor actual = quantised.tensor(name);
            Tensor expected = original.tensor(name);
            assertThat(actual.dtype()).isEqualTo(DType.Q4_1);
            for (int row = 0; row < expected.rows(); row++) {
                float[] wanted = expected.row(row);
                float[] got = actual.row(row);
                for (int col = 0; col < wanted.length; col++) {
                    // 15 steps between the least and the greatest of 32 weights of standard deviation 0.1 or less
                    assertThat(got[col]).as("%s[%d, %d]", name, row, col).isCloseTo(wanted[col], within(0.035f));
                }
            }
        }
    }

    @Test
    void movesWholeRowsWithoutChangingThem() {
        try (Arena arena = Arena.ofConfined();
                GgufSource source = GgufSource.open(DEMO)) {
            Tensor stored =
                    new GgufFile(DEMO, arena).tensor("blk.7.attn_k.weight").orElseThrow();
            Tensor shown = source.tensor("model.layers.7.self_attn.k_proj.weight");
            for (int head = 0; head < 3; head++) {
                for (int j = 0; j < 32; j++) {
                    for (int c = 0; c < 2; c++) {
                        assertThat(shown.row(head * 64 + c * 32 + j))
                                .containsExactly(stored.row(head * 64 + 2 * j + c));
                    }
                }
            }
            assertThat(source.tensor("model.layers.7.self_attn.k_proj.weight")).isSameAs(shown);
        }
    }

    @Test
    void movesTheElementsOfABiasLikeRows(@TempDir Path folder) throws IOException {
        Path file = new GgufFileWriter()
                .llama(1, 8, 4, 2, 2)
                .linears(1, 8, 8, 8, 4)
                .tensor("blk.0.attn_q.bias", List.of(8), index -> index)
                .tensor("blk.0.attn_k.bias", List.of(8), index -> 10 + index)
                .tensor("blk.0.attn_v.bias", List.of(8), index -> 20 + index)
                .tensor("blk.0.attn_output.bias", List.of(8), index -> 30 + index)
                .write(folder.resolve("biased.gguf"));
        try (GgufSource source = GgufSource.open(file)) {
            assertThat(source.config().keys().flag("attention_bias", false)).isTrue();
            String attention = "model.layers.0.self_attn.";
            assertThat(source.tensor(attention + "q_proj.bias").row(0)).containsExactly(0, 2, 1, 3, 4, 6, 5, 7);
            assertThat(source.tensor(attention + "k_proj.bias").row(0)).containsExactly(10, 12, 11, 13, 14, 16, 15, 17);
            assertThat(source.tensor(attention + "v_proj.bias").row(0)).containsExactly(20, 21, 22, 23, 24, 25, 26, 27);
            assertThat(source.tensor(attention + "o_proj.bias").row(0)).containsExactly(30, 31, 32, 33, 34, 35, 36, 37);
        }
    }

    @Test
    void countsEveryKindOfEndToken(@TempDir Path folder) throws IOException {
        Path file = new GgufFileWriter()
                .llama(1, 8, 4, 2, 2)
                .linears(1, 8, 8, 8, 4)
                .u32("tokenizer.ggml.eos_token_id", 2)
                .u32("tokenizer.ggml.eot_token_id", 3)
                .write(folder.resolve("ends.gguf"));
        try (GgufSource source = GgufSource.open(file)) {
            assertThat(source.config().eosTokenIds()).containsExactly(2, 3);
            assertThat(source.config().vocabSize()).isEqualTo(4);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"expert_count", "attention.sliding_window", "rope.dimension_count"})
    void refusesMetadataThatWouldChangeTheNumbers(String key, @TempDir Path folder) throws IOException {
        Path file = new GgufFileWriter()
                .llama(1, 8, 4, 2, 2)
                .linears(1, 8, 8, 8, 4)
                .u32("llama." + key, 2)
                .write(folder.resolve("other.gguf"));
        assertThatThrownBy(() -> GgufSource.open(file))
                .isInstanceOf(ServiceException.class)
                .hasMessageContaining(file.toString())
                .hasMessageContaining("llama." + key + " is 2");
    }

    @Test
    void namesFileTensorAndTypeOfATensorItCannotRead(@TempDir Path folder) throws IOException {
        Path file = Files.write(folder.resolve("typed.gguf"), withType(Files.readAllBytes(VALID), 12));
        assertThatThrownBy(() -> GgufSource.open(file))
                .isInstanceOfSatisfying(
                        ServiceException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.UNSUPPORTED_DTYPE))
                .hasMessageStartingWith(file + ": tensor token_embd.weight is of type Q4_K");
    }

    @Test
    void namesTheTensorThatIsNotThere() {
        try (GgufSource source = GgufSource.open(VALID)) {
            assertThatThrownBy(() -> source.tensor("model.layers.1.mlp.up_proj.weight"))
                    .hasMessage(VALID + ": has no tensor model.layers.1.mlp.up_proj.weight");
        }
    }

    @Test
    void readsVersionTwo(@TempDir Path folder) throws IOException {
        byte[] bytes = Files.readAllBytes(VALID);
        bytes[4] = 2;
        Path file = Files.write(folder.resolve("two.gguf"), bytes);
        try (GgufSource source = GgufSource.open(file)) {
            assertThat(source.config().layers()).isEqualTo(1);
        }
    }

    /** Lets the first tensor claim another type. */
    private static byte[] withType(byte[] gguf, int type) {
        String name = "token_embd.weight";
        int at = new String(gguf, StandardCharsets.ISO_8859_1).indexOf(name);
        // after the name: the rank, two dimensions, the type
        ByteBuffer.wrap(gguf).order(ByteOrder.LITTLE_ENDIAN).putInt(at + name.length() + 4 + 16, type);
        return gguf;
    }
}
