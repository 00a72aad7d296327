package dev.lory.format;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lory.error.ErrorCode;
import dev.lory.error.ServiceException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class ModelSourceTest {
    private static final Path SHARDED = Path.of("src/test/resources/fixtures/models/llama/base");
    private static final Path GGUF = Path.of("src/test/resources/fixtures/gguf/llama-f/llama-f-Q4_1.gguf");

    @TempDir
    Path folder;

    @ParameterizedTest
    @CsvSource({
        "models/smollm2-135m-instruct, smollm2-135m-instruct",
        "models/smollm2-135m-instruct/SmolLM2-135M-Instruct.Q4_1.gguf, SmolLM2-135M-Instruct.Q4_1"
    })
    void opensTheDemoModelByItsFolderOrItsFile(Path path, String name) {
        try (ModelSource source = ModelSource.open(path)) {
            assertThat(source.name()).isEqualTo(name);
            assertThat(source.config().layers()).isEqualTo(30);
            assertThat(source.bosToken()).contains("<|im_start|>");
            assertThat(source.eosToken()).contains("<|im_end|>");
            assertThat(source.chatTemplate()).isPresent();
            assertThat(source.gguf()).isPresent();
            assertThat(source.tokenizerJson()).isEmpty();
        }
    }

    @Test
    void opensAHuggingFaceFolderWithItsTokenizerFiles() throws IOException {
        for (Path file : List.of(
                SHARDED.resolve("config.json"),
                SHARDED.resolve("model.safetensors.index.json"),
                SHARDED.resolve("model-00001-of-00002.safetensors"),
                SHARDED.resolve("model-00002-of-00002.safetensors"))) {
            Files.copy(file, folder.resolve(file.getFileName()));
        }
        Files.writeString(folder.resolve("tokenizer.json"), "{}");
        Files.writeString(folder.resolve("tokenizer_config.json"), """
                {"bos_token": {"content": "<s>"}, "eos_token": "</s>",
                 "chat_template": [{"name": "rag", "template": "R"}, {"name": "default", "template": "D"}]}""");
        try (ModelSource source = ModelSource.open(folder)) {
            assertThat(source.name()).isEqualTo(folder.getFileName().toString());
            assertThat(source.tokenizerJson()).contains(folder.resolve("tokenizer.json"));
            assertThat(source.bosToken()).contains("<s>");
            assertThat(source.eosToken()).contains("</s>");
            assertThat(source.chatTemplate()).contains("D");
            assertThat(source.tensors().has("lm_head.weight")).isTrue();
        }
        Files.writeString(folder.resolve("chat_template.jinja"), "J");
        try (ModelSource source = ModelSource.open(folder)) {
            assertThat(source.chatTemplate()).contains("J");
        }
    }

    @Test
    void opensAModelWithoutATokenizer() {
        try (ModelSource source = ModelSource.open(SHARDED)) {
            assertThat(source.name()).isEqualTo("base");
            assertThat(source.tokenizerJson()).isEmpty();
            assertThat(source.gguf()).isEmpty();
            assertThat(source.chatTemplate()).isEmpty();
        }
    }

    @Test
    void refusesAVocabularyThatIsNoText() {
        Path file = Path.of("src/test/resources/fixtures/malformed/gguf/tokens-wrong-type.gguf");
        assertThatThrownBy(() -> ModelSource.open(file))
                .hasMessage(file + ": tokenizer.ggml.tokens is of type long[] but must be an array of strings");
    }

    @Test
    void saysWhatIsWrongWithAPathThatHoldsNoModel() throws IOException {
        refuses(folder.resolve("nothing"), "there is no model at " + folder.resolve("nothing"));
        refuses(folder, "and no .gguf file");
        Path text = Files.writeString(folder.resolve("notes.txt"), "x");
        refuses(text, text + " is neither a model folder nor a .gguf file");
        Files.copy(GGUF, folder.resolve("a.gguf"));
        Files.copy(GGUF, folder.resolve("b.gguf"));
        refuses(folder, "2 .gguf files: name one of them");
    }

    private static void refuses(Path path, String message) {
        assertThatThrownBy(() -> ModelSource.open(path))
                .isInstanceOfSatisfying(
                        ServiceException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.INVALID_CONFIGURATION))
                .hasMessageContaining(message);
    }
}
