package dev.lory.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import dev.lory.error.ErrorCode;
import dev.lory.error.ServiceException;
import dev.lory.format.GgufFileWriter;
import java.io.IOException;
import java.nio.file.Path;
import java.text.Normalizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The way back: a tokenizer.json written as GGUF metadata, as llama.cpp's converter does it, gives the same ids. */
final class GgufConversionTest {
    private static final String KEY = "tokenizer.ggml.";

    @TempDir
    private Path folder;

    @ParameterizedTest
    @CsvSource({
        "gpt2-style, gpt-2",
        "llama3-style, llama-bpe",
        "qwen2-style, qwen2",
        "starcoder2-style, starcoder",
        "llama2-style, ''",
        "gemma-style, ''"
    })
    void givesTheIdsOfTheTokenizerJson(String name, String rule) throws IOException {
        Path reference = TokenizerFixtures.ROOT.resolve("tokenizers/" + name);
        JsonNode json = TokenizerFixtures.json(reference.resolve("tokenizer.json"));
        List<String> added = new ArrayList<>();
        json.path("added_tokens")
                .forEach(token -> added.add(token.path("content").textValue()));
        try (Tokenizer tokenizer = Tokenizer.open(reference);
                Tokenizer gguf = Tokenizer.open(gguf(json, rule))) {
            for (String text : OddTexts.of(added, 2000)) {
                // Qwen's own file composes characters first, as the metadata's rule does; the small one was made
                // without.
                String composed = rule.equals("qwen2") ? Normalizer.normalize(text, Normalizer.Form.NFC) : text;
                int[] ids = tokenizer.encode(composed, false, true);
                assertThat(gguf.encode(text, false, true)).as(text).containsExactly(ids);
                assertThat(gguf.decode(ids, false)).as(text).isEqualTo(tokenizer.decode(ids, false));
            }
        }
    }

    private Path gguf(JsonNode json, String rule) throws IOException {
        Map<Integer, String> pieces = new HashMap<>();
        json.path("model")
                .path("vocab")
                .properties()
                .forEach(entry -> pieces.put(entry.getValue().asInt(), entry.getKey()));
        int[] types = new int[pieces.size()];
        Arrays.setAll(types, id -> pieces.getOrDefault(id, "").matches("<0x[0-9A-F]{2}>") ? 6 : 1);
        for (JsonNode token : json.path("added_tokens")) {
            types[token.path("id").asInt()] = token.path("content").textValue().equals("<unk>")
                    ? 2
                    : token.path("special").asBoolean() ? 3 : 4;
        }
        Map<String, Integer> ranks = new HashMap<>();
        List<String> merges = new ArrayList<>();
        for (JsonNode merge : json.path("model").path("merges")) {
            ranks.putIfAbsent(merge.path(0).textValue() + merge.path(1).textValue(), merges.size());
            merges.add(merge.path(0).textValue() + " " + merge.path(1).textValue());
        }
        List<String> tokens = IntStream.range(0, pieces.size())
                .mapToObj(id -> pieces.getOrDefault(id, ""))
                .toList();
        float[] scores = new float[tokens.size()];
        for (int id = 0; id < scores.length; id++) {
            scores[id] = -ranks.getOrDefault(tokens.get(id), 100_000 + id);
        }
        GgufFileWriter file = new GgufFileWriter()
                .strings(KEY + "tokens", tokens)
                .i32s(KEY + "token_type", types)
                .u32(KEY + "bos_token_id", 0);
        if (rule.isEmpty()) {
            file.string(KEY + "model", "llama")
                    .f32s(KEY + "scores", scores)
                    .flag(
                            KEY + "add_space_prefix",
                            json.path("decoder").toString().contains("Strip"));
        } else {
            file.string(KEY + "model", "gpt2").string(KEY + "pre", rule).strings(KEY + "merges", merges);
        }
        return file.write(folder.resolve("model.gguf"));
    }

    private static GgufFileWriter letters(String... tokens) {
        return new GgufFileWriter()
                .string(KEY + "model", "gpt2")
                .string(KEY + "pre", "qwen2")
                .strings(KEY + "tokens", List.of(tokens))
                .strings(KEY + "merges", List.of());
    }

    @Test
    void whatBeginsAndEndsATextIsAControlTokenWhateverItsType() throws IOException {
        GgufFileWriter file = letters("a", "<end>", "<turn>", "<", "e", "n", "d", ">")
                .u32(KEY + "eos_token_id", 1)
                .u32(KEY + "eot_token_id", 2)
                .i32s(KEY + "token_type", new int[] {1, 1, 4, 1, 1, 1, 1, 1});
        try (Tokenizer tokenizer = Tokenizer.open(file.write(folder.resolve("ends.gguf")))) {
            assertThat(tokenizer.encode("a<end><turn>", false, true)).containsExactly(0, 1, 2);
            assertThat(tokenizer.encode(tokenizer.protect("<end>"), false, true))
                    .containsExactly(3, 4, 5, 6, 7);
            assertThat(tokenizer.decode(new int[] {0, 2, 1}, true)).isEqualTo("a");
        }
    }

    @Test
    void userDefinedRunsOfSpacesAreFoundHoweverTheFileSpellsThem() throws IOException {
        for (String spelled : List.of("  ", "\u2581\u2581")) {
            GgufFileWriter file = new GgufFileWriter()
                    .string(KEY + "model", "llama")
                    .flag(KEY + "add_space_prefix", false)
                    .strings(KEY + "tokens", List.of("<unk>", "\u2581", "a", "\u2581a", spelled))
                    .f32s(KEY + "scores", new float[] {0, -3, -4, -1, -1000})
                    .i32s(KEY + "token_type", new int[] {2, 1, 1, 1, 4});
            Path path = file.write(folder.resolve(spelled.length() + spelled.codePointAt(0) + ".gguf"));
            try (Tokenizer tokenizer = Tokenizer.open(path)) {
                assertThat(tokenizer.encode("a   a", false, false)).containsExactly(2, 4, 3);
                assertThat(tokenizer.decode(new int[] {2, 4, 3}, false)).isEqualTo("a   a");
            }
        }
    }

    @Test
    void aTokenThatIsThereTwiceIsRefusedWithBothIds() throws IOException {
        Path path = letters("a", "b", "a").write(folder.resolve("twice.gguf"));
        assertThatThrownBy(() -> Tokenizer.open(path))
                .isInstanceOfSatisfying(
                        ServiceException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.INVALID_MODEL))
                .hasMessageEndingWith("twice.gguf: tokenizer.ggml.tokens has a twice, as 0 and 2");
    }

    @ParameterizedTest
    @ValueSource(strings = {"bert", "t5", "rwkv", "plamo2", "none"})
    void aKindOfTokenizerThatIsNotSupportedIsNamed(String model) throws IOException {
        Path path = new GgufFileWriter()
                .string(KEY + "model", model)
                .strings(KEY + "tokens", List.of("a"))
                .write(folder.resolve("kind.gguf"));
        assertThatThrownBy(() -> Tokenizer.open(path))
                .hasMessageEndingWith("tokenizer.ggml.model is " + model
                        + "; gpt2 (byte-level BPE) and llama (SentencePiece's BPE) are supported");
    }

    @Test
    void aRuleThatIsNotKnownIsNamed() throws IOException {
        Path path = new GgufFileWriter()
                .string(KEY + "model", "gpt2")
                .string(KEY + "pre", "viking")
                .strings(KEY + "tokens", List.of("a"))
                .strings(KEY + "merges", List.of())
                .write(folder.resolve("rule.gguf"));
        assertThatThrownBy(() -> Tokenizer.open(path))
                .hasMessageContaining("tokenizer.ggml.pre is viking, which is not supported; supported are gpt-2, ");
    }
}
