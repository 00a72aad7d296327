package dev.lory.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.lory.error.ErrorCode;
import dev.lory.error.ServiceException;
import dev.lory.format.ModelSource;
import dev.lory.kernel.Backend;
import dev.lory.kernel.ReferenceBackend;
import dev.lory.model.arch.Architectures;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Checkpoints that do not fit their configuration. */
final class DecoderLoaderTest {
    @TempDir
    Path folder;

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "qwen2 | {\"architectures\": [\"LlamaForCausalLM\"]} | tensor model.layers.0.self_attn.k_proj.bias has no place",
                "mistral | {\"num_hidden_layers\": 1} | tensor model.layers.1.",
                "qwen2 | {\"intermediate_size\": 96} | tensor model.layers.0.mlp.gate_proj.weight has shape [160, 64] where the configuration wants [96, 64]",
                "qwen2 | {\"tie_word_embeddings\": false} | has no tensor lm_head.weight",
                "phi3-longrope | {\"num_key_value_heads\": 4} | tensor model.layers.0.self_attn.qkv_proj.weight has shape [128, 64] where the configuration wants [192, 64]",
                "mixtral | {\"num_local_experts\": 3} | tensor model.layers.0.block_sparse_moe.gate.weight has shape [4, 64] where the configuration wants [3, 64]",
                "mistral | {\"tie_word_embeddings\": true} | tie_word_embeddings is true but lm_head.weight differs from model.embed_tokens.weight",
                "starcoder2 | {\"use_bias\": false} | .bias has no place"
            })
    void refusesATensorThatDoesNotFitNamingIt(String model, String change, String message) throws IOException {
        Path base = Path.of("src/test/resources/fixtures/models", model, "base");
        Files.copy(base.resolve("model.safetensors"), folder.resolve("model.safetensors"));
        ObjectMapper json = new ObjectMapper();
        ObjectNode keys = (ObjectNode) json.readTree(base.resolve("config.json").toFile());
        keys.setAll((ObjectNode) json.readTree(change));
        json.writeValue(folder.resolve("config.json").toFile(), keys);
        try (ModelSource source = ModelSource.open(folder);
                Backend backend = new ReferenceBackend()) {
            DecoderSpec spec = Architectures.spec(source.config());
            assertThatThrownBy(() -> DecoderLoader.load(spec, source.tensors(), backend, 4, 4))
                    .isInstanceOfSatisfying(
                            ServiceException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.INVALID_MODEL))
                    .hasMessageContaining(message);
        }
    }
}
