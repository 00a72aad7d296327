package dev.lory.format;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lory.error.ErrorCode;
import dev.lory.error.ServiceException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
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
            assertThat(source.specialTokens())
                    .containsEntry("bos_token", "<|im_start|>")
                    .containsEntry("eos_token", "<|im_end|>");
            assertThat(source.chatTemplates()).containsOnlyKeys("default");
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
                {"bos_token": {"content": "<s>"}, "eos_token": "</s>", "pad_token": null,
                 "additional_special_tokens": ["<a>", {"content": "<b>"}],
                 "chat_template": [{"name": "rag", "template": "R"}, {"name": "default", "template": "D"}]}""");
        try (ModelSource source = ModelSource.open(folder)) {
            assertThat(source.name()).isEqualTo(folder.getFileName().toString());
            assertThat(source.tokenizerJson()).contains(folder.resolve("tokenizer.json"));
            assertThat(source.specialTokens())
                    .isEqualTo(Map.of(
                            "bos_token",
                            "<s>",
                            "eos_token",
                            "</s>",
                            "additional_special_tokens",
                            List.of("<a>", "<b>")));
            assertThat(source.chatTemplates()).isEqualTo(Map.of("rag", "R", "default", "D"));
            assertThat(source.tensors().has("lm_head.weight")).isTrue();
        }
        Files.writeString(folder.resolve("chat_template.jinja"), "J");
        Files.writeString(folder.resolve("special_tokens_map.json"), """
                {"eos_token": "<other>", "unk_token": {"content": "<unk>"}}""");
        Path more = Files.createDirectory(folder.resolve("additional_chat_templates"));
        Files.writeString(more.resolve("tool_use.jinja"), "T");
        Files.writeString(more.resolve("README.md"), "no template");
        try (ModelSource source = ModelSource.open(folder)) {
            assertThat(source.chatTemplates()).isEqualTo(Map.of("default", "J", "tool_use", "T"));
            assertThat(source.specialTokens())
                    .containsEntry("eos_token", "</s>")
                    .containsEntry("unk_token", "<unk>");
        }
        Files.writeString(folder.resolve("tokenizer_config.json"), """
                {"chat_template": [{"name": "default"}]}""");
        Files.delete(folder.resolve("chat_template.jinja"));
        Files.delete(more.resolve("tool_use.jinja"));
        assertThatThrownBy(() -> ModelSource.open(folder))
                .hasMessageContaining("tokenizer_config.json")
                .hasMessageContaining("chat_template")
                .hasMessageContaining("a list of objects with name and template");
    }

    @Test
    void opensAModelWithoutATokenizer() {
        try (ModelSource source = ModelSource.open(SHARDED)) {
            assertThat(source.name()).isEqualTo("base");
            assertThat(source.tokenizerJson()).isEmpty();
            assertThat(source.gguf()).isEmpty();
            assertThat(source.chatTemplates()).isEmpty();
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
