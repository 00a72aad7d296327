package dev.lory.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.lory.error.ErrorCode;
import dev.lory.error.ServiceException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.text.Normalizer;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Tokenizers in GGUF metadata: against llama.cpp, and against the tokenizer.json of the same vocabulary. */
final class GgufTokenizerTest {
    private static final Path TOKENIZERS = TokenizerFixtures.ROOT.resolve("tokenizers");

    static Stream<Path> models() {
        return TokenizerFixtures.folders("gguf", "tokenize.json")
                .filter(folder -> !files(folder).isEmpty());
    }

    static Stream<Path> modelsWithTokenizerJson() {
        return models().filter(folder -> Files.exists(folder.resolve("tokenizer.json")));
    }

    private static List<Path> files(Path folder) {
        try (Stream<Path> all = Files.list(folder)) {
            return all.filter(file -> file.toString().endsWith(".gguf"))
                    .sorted(Comparator.naturalOrder())
                    .toList();
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    @ParameterizedTest
    @MethodSource("models")
    void encodesAsLlamaCppDoes(Path model) {
        try (Tokenizer tokenizer = Tokenizer.open(files(model).getFirst())) {
            for (JsonNode row : TokenizerFixtures.json(model.resolve("tokenize.json"))) {
                String text = row.path("text").textValue();
                assertThat(tokenizer.encode(text, true, true))
                        .as(text)
                        .containsExactly(TokenizerFixtures.ids(row.path("llamacpp")));
                if (row.has("sentencepiece")) {
                    assertThat(tokenizer.encode(text, false, false))
                            .as(text)
                            .containsExactly(TokenizerFixtures.ids(row.path("sentencepiece")));
                }
            }
        }
    }

    @ParameterizedTest
    @MethodSource("models")
    void decodesWhatItEncoded(Path model) {
        try (Tokenizer tokenizer = Tokenizer.open(files(model).getFirst())) {
            for (JsonNode row : TokenizerFixtures.golden(TOKENIZERS.resolve("smollm2"))) {
                String text = row.path("text").textValue();
                // SentencePiece writes a space as U+2581, so that character itself comes back as a space.
                // Qwen composes characters.
                assertThat(tokenizer.decode(tokenizer.encode(text, false, false), false))
                        .isIn(text, text.replace('\u2581', ' '), Normalizer.normalize(text, Normalizer.Form.NFC));
            }
        }
    }

    @ParameterizedTest
    @MethodSource("modelsWithTokenizerJson")
    void encodesAsTheTokenizerJsonOfTheModel(Path model) {
        try (Tokenizer gguf = Tokenizer.open(files(model).getFirst());
                Tokenizer json = Tokenizer.fromJson(model.resolve("tokenizer.json"))) {
            for (JsonNode row : TokenizerFixtures.golden(TOKENIZERS.resolve("smollm2"))) {
                // The small tokenizer.json was made without the step that Qwen's own begins with.
                String text = Normalizer.normalize(row.path("text").textValue(), Normalizer.Form.NFC);
                assertThat(gguf.encode(text, false, true)).as(text).containsExactly(json.encode(text, false, true));
            }
        }
    }

    @Test
    void thereAreModelsOfBothKinds() {
        assertThat(models()).hasSizeGreaterThanOrEqualTo(7);
        assertThat(modelsWithTokenizerJson()).hasSizeGreaterThanOrEqualTo(2);
    }

    @ParameterizedTest
    @CsvSource({"LLAMA3, llama3-style", "QWEN2, qwen2-style", "GPT2, gpt2-style", "STARCODER, starcoder2-style"})
    void cutsWordsOfAGgufFileAsItsTokenizerJsonWould(PreTokenizer rule, String name) {
        ObjectNode json = (ObjectNode) TokenizerFixtures.json(TOKENIZERS.resolve(name + "/tokenizer.json"));
        json.set("pre_tokenizer", rule.json());
        ((ObjectNode) json.path("model")).put("ignore_merges", rule.ignoresMerges());
        try (Tokenizer tokenizer = Tokenizer.fromJson(bytes(json))) {
            for (JsonNode row : TokenizerFixtures.golden(TOKENIZERS.resolve(name))) {
                assertThat(tokenizer.encode(row.path("text").textValue(), false, false))
                        .containsExactly(TokenizerFixtures.ids(row.path("ids")));
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"llama2-style", "gemma-style"})
    void scoresGiveTheMergesTheyWereMadeFrom(String name) {
        ObjectNode json = (ObjectNode) TokenizerFixtures.json(TOKENIZERS.resolve(name + "/tokenizer.json"));
        ObjectNode model = (ObjectNode) json.path("model");
        Map<String, Integer> ids = new HashMap<>();
        model.path("vocab").properties().forEach(entry -> {
            if (!entry.getKey().startsWith("<")) {
                ids.put(entry.getKey(), entry.getValue().asInt());
            }
        });
        double[] scores = new double[model.path("vocab").size()];
        int rank = 0;
        for (JsonNode merge : model.path("merges")) {
            String joined = merge.path(0).asText() + merge.path(1).asText();
            scores[model.path("vocab").path(joined).asInt()] = -rank++;
        }
        List<String> merges = ScoredMerges.of(ids, scores);
        assertThat(merges).hasSizeGreaterThan(model.path("merges").size());
        merges.forEach(model.putArray("merges")::add);
        try (Tokenizer tokenizer = Tokenizer.fromJson(bytes(json))) {
            for (JsonNode row : TokenizerFixtures.golden(TOKENIZERS.resolve(name))) {
                String text = row.path("text").textValue();
                assertThat(tokenizer.encode(text, false, false))
                        .as(text)
                        .containsExactly(TokenizerFixtures.ids(row.path("ids")));
            }
        }
    }

    /** Without merges each byte is a token, unless the whole word is one. */
    @ParameterizedTest
    @CsvSource(
            delimiter = ' ',
            value = {
                "DEFAULT 1234 123",
                "DEFAULT !?a !?",
                "QWEN2 12 1",
                "LLAMA3 1234 123",
                "TEKKEN helloWorld hello",
                "TEKKEN 12 1",
                "GPT4O helloWorld hello",
                "DEEPSEEK_CODER ab12 ab",
                "DEEPSEEK_CODER 12 1",
                "DEEPSEEK_CODER ab!? ab",
                "GPT4O it'sWe it's",
                "GPT4O 1234 123",
                "DBRX helloWorld helloWorld"
            })
    void cutsTheFirstWord(PreTokenizer rule, String text, String word) {
        ObjectNode json = (ObjectNode) TokenizerFixtures.json(TOKENIZERS.resolve("gpt2-style/tokenizer.json"));
        ObjectNode model = (ObjectNode) json.path("model");
        model.put("ignore_merges", true).putArray("merges");
        for (int end = 1; end <= text.length(); end++) {
            ((ObjectNode) model.path("vocab")).put(text.substring(0, end), 5000 + end);
        }
        json.set("pre_tokenizer", rule.json());
        try (Tokenizer tokenizer = Tokenizer.fromJson(bytes(json))) {
            assertThat(tokenizer.encode(text, false, false)).startsWith(5000 + word.length());
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "scores-too-short | tokenizer.ggml.scores has",
                "bos-out-of-range | tokenizer.ggml.bos_token_id is",
            })
    void saysWhatIsWrongWithTheTokenizerOfAFile(String name, String sentence) {
        Path file = TokenizerFixtures.ROOT.resolve("malformed/gguf/" + name + ".gguf");
        assertThatThrownBy(() -> Tokenizer.open(file))
                .isInstanceOfSatisfying(
                        ServiceException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.INVALID_MODEL))
                .hasMessageContaining(name + ".gguf: " + sentence);
    }

    private static byte[] bytes(ObjectNode json) {
        return json.toString().getBytes(StandardCharsets.UTF_8);
    }
}
