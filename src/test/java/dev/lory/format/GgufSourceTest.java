package dev.lory.format;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.ObjectMapper;
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
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
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
                     "num_key_value_heads": 3, "max_position_embeddings": 8192,
                     "rms_norm_eps": 1.0E-5, "rope_theta": 100000.0, "tie_word_embeddings": true,
                     "attention_bias": false, "mlp_bias": false, "hidden_act": "silu", "bos_token_id": 1, "eos_token_id": [2]}"""));
            assertThat(source.chatTemplates())
                    .hasEntrySatisfying(
                            "default", template -> assertThat(template).startsWith("{% for message in messages %}"));
            assertThat(source.specialTokens()).containsEntry("bos_token", "<|im_start|>");
        }
    }

    @Test
    void findsChatTemplatesByName(@TempDir Path folder) throws IOException {
        Path file = new GgufFileWriter()
                .llama(1, 8, 4, 2, 2)
                .string("tokenizer.chat_template", "D")
                .string("tokenizer.chat_template.tool_use", "T")
                .linears(1, 8, 8, 8, 4)
                .write(folder.resolve("named.gguf"));
        try (GgufSource source = GgufSource.open(file)) {
            assertThat(source.chatTemplates()).isEqualTo(Map.of("default", "D", "tool_use", "T"));
        }
    }

    @Test
    void showsTheTensorsOfTheDemoModelUnderTheirHuggingFaceNames() {
        try (GgufSource source = GgufSource.open(DEMO)) {
            assertThat(source.names()).hasSize(272).doesNotContain("lm_head.weight");
            assertThat(source.info("model.embed_tokens.weight")).hasToString("Q8_0[49152, 576]");
            assertThat(source.info("model.norm.weight")).hasToString("F32[1, 576]");
            assertThat(source.info("model.layers.0.input_layernorm.weight")).hasToString("F32[1, 576]");
            assertThat(source.info("model.layers.29.post_attention_layernorm.weight"))
                    .hasToString("F32[1, 576]");
            assertThat(source.info("model.layers.29.self_attn.q_proj.weight")).hasToString("Q4_1[576, 576]");
            assertThat(source.info("model.layers.29.self_attn.k_proj.weight")).hasToString("Q4_1[192, 576]");
            assertThat(source.info("model.layers.29.self_attn.v_proj.weight")).hasToString("Q4_1[192, 576]");
            assertThat(source.info("model.layers.29.self_attn.o_proj.weight")).hasToString("Q4_1[576, 576]");
            assertThat(source.info("model.layers.29.mlp.gate_proj.weight")).hasToString("Q4_1[1536, 576]");
            assertThat(source.info("model.layers.29.mlp.up_proj.weight")).hasToString("Q4_1[1536, 576]");
            assertThat(source.info("model.layers.29.mlp.down_proj.weight")).hasToString("Q4_1[576, 1536]");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"q_proj", "k_proj", "v_proj"})
    void putsRowsBackInTheOrderOfTheModelTheFileWasMadeFrom(String module) {
        String name = "model.layers.0.self_attn." + module + ".weight";
        try (Arena arena = Arena.ofConfined();
                GgufSource quantised = GgufSource.open(TINY.resolve("llama-f-Q4_1.gguf"));
                SafetensorsSource original = SafetensorsSource.open(TINY.resolve("attention-of-layer-0.safetensors"))) {
            Tensor actual = quantised.tensor(name, arena);
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
            Tensor shown = source.tensor("model.layers.7.self_attn.k_proj.weight", arena);
            for (int head = 0; head < 3; head++) {
                for (int j = 0; j < 32; j++) {
                    for (int c = 0; c < 2; c++) {
                        assertThat(shown.row(head * 64 + c * 32 + j))
                                .containsExactly(stored.row(head * 64 + 2 * j + c));
                    }
                }
            }
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
        try (Arena arena = Arena.ofConfined();
                GgufSource source = GgufSource.open(file)) {
            assertThat(source.config().keys().flag("attention_bias", false)).isTrue();
            String attention = "model.layers.0.self_attn.";
            assertThat(source.tensor(attention + "q_proj.bias", arena).row(0)).containsExactly(0, 2, 1, 3, 4, 6, 5, 7);
            assertThat(source.tensor(attention + "k_proj.bias", arena).row(0))
                    .containsExactly(10, 12, 11, 13, 14, 16, 15, 17);
            assertThat(source.tensor(attention + "v_proj.bias", arena).row(0))
                    .containsExactly(20, 21, 22, 23, 24, 25, 26, 27);
            assertThat(source.tensor(attention + "o_proj.bias", arena).row(0))
                    .containsExactly(30, 31, 32, 33, 34, 35, 36, 37);
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
    @CsvSource(
            delimiter = '|',
            value = {
                "llama.attention.sliding_window | 2 | llama.attention.sliding_window is 2, which is not understood",
                "llama.rope.dimension_count | 6 | llama.rope.dimension_count is 6; a head is 4 wide",
                "llama.attention.value_length | 2 | llama.attention.value_length is 2; only the head width 4",
                "llama.rope.scaling.type | su | llama.rope.scaling.type is su",
                "llama.rope.scaling.type | longrope | llama.rope.scaling.type is longrope, which does not fit",
                "llama.rope.scaling.type | alibi | llama.rope.scaling.type is alibi",
                "llama.anything.new | 1 | llama.anything.new is 1, which is not understood",
                "general.type | adapter | general.type is adapter; wanted is a model",
                "split.count | 3 | is one of 3 parts of a model"
            })
    void refusesMetadataThatWouldChangeTheNumbers(String key, String value, String message, @TempDir Path folder)
            throws IOException {
        GgufFileWriter writer = new GgufFileWriter().llama(1, 8, 4, 2, 2).linears(1, 8, 8, 8, 4);
        boolean number = value.chars().allMatch(Character::isDigit);
        Path file = (number ? writer.u32(key, Integer.parseInt(value)) : writer.string(key, value))
                .write(folder.resolve("other.gguf"));
        assertThatThrownBy(() -> GgufSource.open(file).config())
                .isInstanceOfSatisfying(
                        ServiceException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.INVALID_MODEL))
                .hasMessageStartingWith(file + ": ")
                .hasMessageContaining(message);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "blk.0.attn_q_norm.weight",
                "blk.0.ffn_norm.bias",
                "blk.0.attn_q.scale",
                "blk.x.attn_q.weight",
                "rope_factors.weight",
                "output"
            })
    void refusesATensorThatTheArchitectureDoesNotHave(String name, @TempDir Path folder) throws IOException {
        Path file = new GgufFileWriter()
                .llama(1, 8, 4, 2, 2)
                .linears(1, 8, 8, 8, 4)
                .tensor(name, List.of(8), index -> 0)
                .write(folder.resolve("more.gguf"));
        assertThatThrownBy(() -> GgufSource.open(file))
                .hasMessage(file + ": has the tensor " + name + ", which a llama model as described does not have");
    }

    @Test
    void readsOneTensorForEachExpertAsTheFirstMixtralFilesHaveThem(@TempDir Path folder) throws IOException {
        GgufFileWriter writer = new GgufFileWriter()
                .llama(1, 8, 4, 2, 2)
                .u32("llama.expert_count", 2)
                .u32("llama.expert_used_count", 1)
                .tensor("token_embd.weight", List.of(8, 4), index -> 0)
                .tensor("blk.0.ffn_gate_inp.weight", List.of(8, 2), index -> 0);
        for (int expert = 0; expert < 2; expert++) {
            int value = expert;
            writer.tensor("blk.0.ffn_gate." + expert + ".weight", List.of(8, 4), index -> 10 + value)
                    .tensor("blk.0.ffn_down." + expert + ".weight", List.of(4, 8), index -> 20 + value)
                    .tensor("blk.0.ffn_up." + expert + ".weight", List.of(8, 4), index -> 30 + value);
        }
        String experts = "model.layers.0.block_sparse_moe.experts.";
        try (Arena arena = Arena.ofConfined();
                GgufSource source = GgufSource.open(writer.write(folder.resolve("experts.gguf")))) {
            assertThat(source.tensor(experts + "0.w1.weight", arena).row(3)).containsOnly(10);
            assertThat(source.tensor(experts + "1.w1.weight", arena).row(3)).containsOnly(11);
            assertThat(source.tensor(experts + "1.w2.weight", arena).row(7)).containsOnly(21);
            assertThat(source.tensor(experts + "1.w3.weight", arena).row(0)).containsOnly(31);
            assertThat(source.info(experts + "1.w2.weight")).hasToString("F32[8, 4]");
        }
    }

    @Test
    void takesApartTheOneMatrixOfTheFirstPhi2Files(@TempDir Path folder) throws IOException {
        Path file = new GgufFileWriter()
                .model("phi2", 1, 8, 4, 2, 2)
                .tensor("token_embd.weight", List.of(8, 4), index -> 0)
                .tensor("blk.0.attn_qkv.weight", List.of(8, 24), index -> index / 8)
                .tensor("blk.0.attn_qkv.bias", List.of(24), index -> index)
                .write(folder.resolve("fused.gguf"));
        String attention = "model.layers.0.self_attn.";
        try (Arena arena = Arena.ofConfined();
                GgufSource source = GgufSource.open(file)) {
            assertThat(source.tensor(attention + "q_proj.weight", arena).row(0)).containsOnly(0);
            assertThat(source.tensor(attention + "k_proj.weight", arena).row(0)).containsOnly(8);
            assertThat(source.tensor(attention + "v_proj.weight", arena).row(7)).containsOnly(23);
            assertThat(source.tensor(attention + "v_proj.bias", arena).row(0))
                    .containsExactly(16, 17, 18, 19, 20, 21, 22, 23);
            assertThat(source.info(attention + "k_proj.bias")).hasToString("F32[1, 8]");
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "linear | {\"rope_type\":\"linear\",\"factor\":4.0}",
                "yarn | {\"rope_type\":\"yarn\",\"factor\":4.0,\"original_max_position_embeddings\":16}",
                "none | null"
            })
    void readsTheScalingOfRotaryPositions(String type, String scaling, @TempDir Path folder) throws IOException {
        Path path = new GgufFileWriter()
                .llama(1, 8, 4, 2, 2)
                .linears(1, 8, 8, 8, 4)
                .string("llama.rope.scaling.type", type)
                .f32("llama.rope.scaling.factor", 4)
                .u32("llama.rope.scaling.original_context_length", 16)
                .write(folder.resolve("scaled.gguf"));
        try (Arena arena = MappedFile.arena()) {
            GgufFile file = new GgufFile(path, arena);
            GgufTensors tensors = new GgufTensors(file, GgufArchitecture.LLAMA);
            assertThat(String.valueOf(
                            GgufConfig.of(file, GgufArchitecture.LLAMA, tensors).get("rope_scaling")))
                    .isEqualTo(scaling);
        }
    }

    @Test
    void refusesDivisorsOfFrequenciesThatNoLlama3ScalingHas(@TempDir Path folder) throws IOException {
        Path file = new GgufFileWriter()
                .llama(1, 8, 4, 2, 2)
                .linears(1, 8, 8, 8, 4)
                .tensor("rope_freqs.weight", List.of(2), index -> 2 - index)
                .write(folder.resolve("freqs.gguf"));
        assertThatThrownBy(() -> GgufSource.open(file).config())
                .hasMessageStartingWith(
                        file + ": tensor rope_freqs.weight has 2.0 at 0, where the llama3 scaling by 2.0");
    }

    @Test
    void namesFileTensorAndTypeOfATensorItCannotRead(@TempDir Path folder) throws IOException {
        Path file = Files.write(folder.resolve("typed.gguf"), withType(Files.readAllBytes(VALID), 16));
        assertThatThrownBy(() -> GgufSource.open(file))
                .isInstanceOfSatisfying(
                        ServiceException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.UNSUPPORTED_DTYPE))
                .hasMessageStartingWith(file + ": tensor token_embd.weight is of type IQ2_XXS");
    }

    @Test
    void namesTheTensorThatIsNotThere() {
        try (GgufSource source = GgufSource.open(VALID)) {
            assertThatThrownBy(() -> source.info("model.layers.1.mlp.up_proj.weight"))
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
