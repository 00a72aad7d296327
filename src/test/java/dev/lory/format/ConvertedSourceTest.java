package dev.lory.format;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lory.error.ErrorCode;
import dev.lory.error.ServiceException;
import dev.lory.tensor.DType;
import dev.lory.tensor.Tensor;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

final class ConvertedSourceTest {
    private static final Path FIXTURES = Path.of("src/test/resources/fixtures");

    @Test
    void autoIsTheSourceItself() {
        try (TensorSource source = SafetensorsSource.open(FIXTURES.resolve("models/llama/base"))) {
            assertThat(ConvertedSource.of(source, WeightType.AUTO)).isSameAs(source);
        }
    }

    /** llama.cpp's converter wrote the same model three times. */
    @ParameterizedTest
    @EnumSource(names = {"F16", "BF16"})
    void roundsAsLlamaCppDoes(WeightType type) {
        try (Arena arena = Arena.ofShared();
                TensorSource actual = ConvertedSource.of(llama(DType.F32.name()), type);
                TensorSource expected = llama(type.name())) {
            assertThat(actual.names()).isEqualTo(expected.names());
            for (String name : expected.names()) {
                assertThat(bytes(actual.tensor(name, arena))).as(name).isEqualTo(bytes(expected.tensor(name, arena)));
            }
        }
    }

    private static GgufSource llama(String type) {
        return GgufSource.open(FIXTURES.resolve("gguf/llama-f/llama-f-" + type + ".gguf"));
    }

    private static byte[] bytes(Tensor tensor) {
        return tensor.storage().toArray(ValueLayout.JAVA_BYTE);
    }

    @Test
    void wideningChangesNoNumber() {
        try (Arena arena = Arena.ofShared();
                GgufSource source = GgufSource.open(FIXTURES.resolve("gguf/llama/llama-Q4_K_M.gguf"))) {
            TensorSource wide = ConvertedSource.of(source, WeightType.F32);
            String name = "model.layers.1.self_attn.q_proj.weight";
            Tensor stored = source.tensor(name, arena);
            Tensor tensor = wide.tensor(name, arena);
            assertThat(stored.dtype()).isEqualTo(DType.Q4_K);
            assertThat(tensor.dtype()).isEqualTo(DType.F32);
            for (int row = 0; row < tensor.rows(); row++) {
                assertThat(tensor.row(row)).isEqualTo(stored.row(row));
            }
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"Q8_0", "Q4_0"})
    void quantisesWeightsButNotNormsBiasesAndGates(WeightType type) {
        List<String> kept = new ArrayList<>();
        for (String model : List.of("mixtral", "qwen2")) {
            try (Arena arena = Arena.ofShared();
                    SafetensorsSource source = SafetensorsSource.open(FIXTURES.resolve("models/" + model + "/base"))) {
                TensorSource converted = ConvertedSource.of(source, type);
                for (String name : source.names()) {
                    Tensor tensor = converted.tensor(name, arena);
                    assertThat(converted.info(name)).hasToString(tensor.toString());
                    if (tensor.dtype() == DType.F32) {
                        kept.add(name.replaceFirst(".*layers.1.", ""));
                        continue;
                    }
                    assertThat(tensor.dtype()).hasToString(type.name());
                    assertStepsAreSmall(tensor, source.tensor(name), type == WeightType.Q8_0 ? 254 : 16);
                }
            }
        }
        assertThat(kept)
                .contains("block_sparse_moe.gate.weight", "input_layernorm.weight", "self_attn.q_proj.bias")
                .noneMatch(name -> name.matches(".*(proj|w[123]|embed_tokens|lm_head)\\.weight"));
    }

    /** Each value is within half a step, the largest of its 32 divided by {@code halfSteps}, and what rounds d to a half. */
    private static void assertStepsAreSmall(Tensor tensor, Tensor exact, int halfSteps) {
        for (int row = 0; row < tensor.rows(); row++) {
            float[] actual = tensor.row(row);
            float[] wanted = exact.row(row);
            for (int block = 0; block < wanted.length; block += 32) {
                float largest = 0;
                for (int i = block; i < block + 32; i++) {
                    largest = Math.max(largest, Math.abs(wanted[i]));
                }
                for (int i = block; i < block + 32; i++) {
                    // a Q4_0 has 8 steps on the side of its largest value and 7 on the other, where all of one is lost
                    float step = largest / halfSteps * (halfSteps == 16 ? 2 : 1);
                    assertThat(Math.abs(actual[i] - wanted[i])).isLessThanOrEqualTo(step * 1.002f + largest / 1024);
                }
            }
        }
    }

    @Test
    void namesTheTensorWhoseRowsFitNoBlocks(@TempDir Path folder) throws IOException {
        Path file =
                new GgufFileWriter().llama(1, 8, 4, 2, 2).linears(1, 8, 8, 8, 4).write(folder.resolve("narrow.gguf"));
        try (Arena arena = Arena.ofShared();
                TensorSource source = ConvertedSource.of(GgufSource.open(file), WeightType.Q8_0)) {
            assertThatThrownBy(() -> source.tensor("model.layers.0.mlp.up_proj.weight", arena))
                    .isInstanceOfSatisfying(
                            ServiceException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.UNSUPPORTED_DTYPE))
                    .hasMessage(file + ": tensor model.layers.0.mlp.up_proj.weight has rows of 8; Q8_0 needs multiples"
                            + " of 32");
        }
    }

    @Test
    void namesAllTypesIfOneIsUnknown() {
        assertThatThrownBy(() -> WeightType.of("Q8_0"))
                .hasMessage("--dtype is one of [auto, f32, bf16, f16, q8_0, q4_0] but not Q8_0");
    }
}
