package dev.lory.format;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lory.error.ErrorCode;
import dev.lory.error.ServiceException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class ModelConfigTest {
    private static final String LLAMA = """
            "architectures": ["LlamaForCausalLM"], "vocab_size": 100, "hidden_size": 64, "intermediate_size": 128,
            "num_hidden_layers": 2, "num_attention_heads": 4""";

    @TempDir
    Path folder;

    private ModelConfig read(String more) throws IOException {
        Files.writeString(folder.resolve("config.json"), "{" + LLAMA + more + "}");
        return ModelConfig.read(folder.resolve("config.json"));
    }

    @Test
    void readsWhatEveryArchitectureHas() throws IOException {
        ModelConfig config = read(", \"bos_token_id\": 5");
        assertThat(config.architecture()).isEqualTo("LlamaForCausalLM");
        assertThat(config.vocabSize()).isEqualTo(100);
        assertThat(config.hiddenSize()).isEqualTo(64);
        assertThat(config.intermediateSize()).isEqualTo(128);
        assertThat(config.layers()).isEqualTo(2);
        assertThat(config.heads()).isEqualTo(4);
        assertThat(config.bosTokenId()).hasValue(5);
        assertThat(config.eosTokenIds()).isEmpty();
    }

    @Test
    void joinsTheEndTokensOfBothFiles() throws IOException {
        Files.writeString(folder.resolve("generation_config.json"), "{\"eos_token_id\": [7, 8, 9]}");
        assertThat(read(", \"eos_token_id\": 8").eosTokenIds()).containsExactly(8, 7, 9);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "\"quantization_config\": {\"bits\": 4} | quantization_config is {\"bits\":4}",
                "\"num_key_value_heads\": 3 | num_attention_heads is 4, no multiple of num_key_value_heads, 3",
                "\"num_key_value_heads\": 0 | num_key_value_heads is 0",
                "\"head_dim\": 15 | head_dim is 15",
                "\"rms_norm_eps\": \"small\" | rms_norm_eps is \"small\" but must be a number",
                "\"max_position_embeddings\": 1.5 | max_position_embeddings is 1.5 but must be an integer",
                "\"eos_token_id\": [\"x\"] | eos_token_id is \"x\" but must be an integer",
                "\"vocab_size\": 100 | Duplicate field 'vocab_size'"
            })
    void refusesWhatItCannotHonourNamingFileKeyAndValue(String json, String message) {
        assertThatThrownBy(() -> read(", " + json))
                .isInstanceOfSatisfying(
                        ServiceException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.INVALID_MODEL))
                .hasMessageStartingWith(folder.resolve("config.json") + ": ")
                .hasMessageContaining(message);
    }

    @Test
    void namesTheKeyThatIsMissing() throws IOException {
        Path config = folder.resolve("config.json");
        Files.writeString(config, "{" + LLAMA.replace("vocab_size", "vocabulary") + "}");
        assertThatThrownBy(() -> ModelConfig.read(config)).hasMessage(config + ": has no vocab_size");
    }
}
