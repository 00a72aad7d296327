package dev.lory.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What we took over from Hugging Face's library, against the library left to do all of it. */
final class LibraryAgreementTest {
    private static final int TEXTS = 2000;

    static Stream<Path> references() {
        return TokenizerFixtures.folders("tokenizers", "tokenizer.json");
    }

    private static HuggingFaceTokenizer library(JsonNode json) throws IOException {
        return HuggingFaceTokenizer.newInstance(
                new ByteArrayInputStream(bytes(json)),
                Map.of("addSpecialTokens", "false", "truncation", "do_not_truncate", "padding", "do_not_pad"));
    }

    private static void assertEncodesAlike(JsonNode json) throws IOException {
        try (HuggingFaceTokenizer library = library(json);
                Tokenizer tokenizer = Tokenizer.fromJson(bytes(json))) {
            for (String text : OddTexts.of(added(json), TEXTS)) {
                assertThat(tokenizer.encode(text, true, true))
                        .as(text)
                        .containsExactly(
                                Arrays.stream(library.encode(text, true, false).getIds())
                                        .mapToInt(Math::toIntExact)
                                        .toArray());
            }
        }
    }

    @ParameterizedTest
    @MethodSource("references")
    void encodesOddTexts(Path reference) throws IOException {
        assertEncodesAlike(TokenizerFixtures.json(reference.resolve("tokenizer.json")));
    }

    @ParameterizedTest
    @MethodSource("references")
    void honoursEveryFlagOfAddedTokens(Path reference) throws IOException {
        ObjectNode json = (ObjectNode) TokenizerFixtures.json(reference.resolve("tokenizer.json"));
        ArrayNode added = (ArrayNode) json.path("added_tokens");
        int id = json.path("model").path("vocab").size();
        add(added, id, "<left>", true).put("lstrip", true);
        add(added, id + 1, "<right>", true).put("rstrip", true);
        add(added, id + 2, "<both>", false).put("lstrip", true).put("rstrip", true);
        add(added, id + 3, "cat", false).put("single_word", true);
        add(added, id + 4, "<plain>", false).put("normalized", true);
        add(added, id + 5, "naïve", false).put("normalized", true);
        assertEncodesAlike(json);
    }

    @Test
    void limitsOnTheLengthOfATextAreNotThoseOfAPrompt() throws IOException {
        Path file = TokenizerFixtures.ROOT.resolve("tokenizers/llama3-style/tokenizer.json");
        ObjectNode json = (ObjectNode) TokenizerFixtures.json(file);
        json.putObject("truncation")
                .put("direction", "Right")
                .put("max_length", 4)
                .put("strategy", "LongestFirst")
                .put("stride", 0);
        try (Tokenizer limited = Tokenizer.fromJson(bytes(json));
                Tokenizer tokenizer = Tokenizer.open(file)) {
            int[] ids = tokenizer.encode("one two three four five six seven", true, true);
            assertThat(ids).hasSizeGreaterThan(4);
            assertThat(limited.encode("one two three four five six seven", true, true))
                    .containsExactly(ids);
        }
    }

    @ParameterizedTest
    @MethodSource("references")
    void decodesAnySequenceInPiecesAsWholeAndAsTheLibrary(Path reference) throws IOException {
        JsonNode json = TokenizerFixtures.json(reference.resolve("tokenizer.json"));
        boolean byteTokens = json.path("decoder").toString().contains("ByteFallback");
        Random random = new Random(20261126);
        try (HuggingFaceTokenizer library = library(json);
                Tokenizer tokenizer = Tokenizer.open(reference)) {
            for (int round = 0; round < TEXTS; round++) {
                boolean skip = random.nextBoolean();
                int[] ids = random.ints(random.nextInt(1, 16), 0, random.nextBoolean() ? 300 : tokenizer.vocabSize())
                        .filter(id -> !tokenizer.piece(id).isEmpty())
                        .toArray();
                String whole = tokenizer.decode(ids, skip);
                TextStream stream = tokenizer.stream(skip);
                StringBuilder streamed = new StringBuilder();
                Arrays.stream(ids).mapToObj(stream::append).forEach(streamed::append);
                assertThat(streamed.append(stream.flush()))
                        .as(Arrays.toString(ids))
                        .hasToString(whole);
                String reported =
                        library.decode(Arrays.stream(ids).asLongStream().toArray(), skip);
                // Of bytes that are partly UTF-8 the library's byte fallback drops all.
                if (!byteTokens || !whole.contains("\uFFFD")) {
                    assertThat(whole).as(Arrays.toString(ids)).isEqualTo(reported);
                }
            }
        }
    }

    @Test
    void bytesOfACharacterLeftUnfinishedAreCountedAsTheLibraryDoes() throws IOException {
        Path reference = TokenizerFixtures.ROOT.resolve("tokenizers/llama2-style");
        try (HuggingFaceTokenizer library = library(TokenizerFixtures.json(reference.resolve("tokenizer.json")));
                Tokenizer tokenizer = Tokenizer.open(reference)) {
            int[] parrot = IntStream.of(tokenizer.encode("a🦜", false, false))
                    .dropWhile(id -> !tokenizer.piece(id).startsWith("<0x"))
                    .toArray();
            assertThat(parrot).hasSize(4);
            for (int length = 1; length < 4; length++) {
                int[] cut = Arrays.copyOf(parrot, length);
                assertThat(tokenizer.decode(cut, true))
                        .isEqualTo("\uFFFD".repeat(length))
                        .isEqualTo(
                                library.decode(Arrays.stream(cut).asLongStream().toArray(), true));
            }
        }
    }

    private static ObjectNode add(ArrayNode added, int id, String text, boolean special) {
        return added.addObject()
                .put("id", id)
                .put("content", text)
                .put("single_word", false)
                .put("lstrip", false)
                .put("rstrip", false)
                .put("normalized", false)
                .put("special", special);
    }

    private static List<String> added(JsonNode json) {
        return StreamSupport.stream(json.path("added_tokens").spliterator(), false)
                .map(token -> token.path("content").textValue())
                .toList();
    }

    private static byte[] bytes(JsonNode json) {
        return json.toString().getBytes(StandardCharsets.UTF_8);
    }
}
