package dev.lory.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Tokenizers of the main model families on awkward strings, against Hugging Face's library. */
final class ReferenceTokenizersTest {
    static Stream<Path> references() {
        return TokenizerFixtures.folders("tokenizers", "golden.json");
    }

    /** The vocabulary of {@code smollm2} is in the demo model. */
    private static Tokenizer open(Path reference) {
        return Files.exists(reference.resolve("tokenizer.json"))
                ? Tokenizer.open(reference)
                : Tokenizer.open(TokenizerFixtures.DEMO);
    }

    @ParameterizedTest
    @MethodSource("references")
    void encodesEveryStringAsHuggingFaceDoes(Path reference) {
        try (Tokenizer tokenizer = open(reference)) {
            for (JsonNode row : TokenizerFixtures.golden(reference)) {
                String text = row.path("text").textValue();
                assertThat(tokenizer.encode(text, false, false))
                        .as(text)
                        .containsExactly(TokenizerFixtures.ids(row.path("ids")));
                assertThat(tokenizer.encode(text, false, true))
                        .as(text)
                        .containsExactly(TokenizerFixtures.ids(row.path("ids_special")));
                assertThat(tokenizer.encode(text, true, true))
                        .as(text)
                        .containsExactly(TokenizerFixtures.ids(row.path("ids_bos")));
            }
        }
    }

    @ParameterizedTest
    @MethodSource("references")
    void decodesWholeAndInPieces(Path reference) {
        try (Tokenizer tokenizer = open(reference)) {
            for (JsonNode row : TokenizerFixtures.golden(reference)) {
                int[] ids = TokenizerFixtures.ids(row.path("ids_special"));
                assertThat(tokenizer.decode(ids, false))
                        .isEqualTo(row.path("decoded").textValue());
                assertThat(tokenizer.decode(ids, true))
                        .isEqualTo(row.path("decoded_skip").textValue());
                if (row.has("pieces")) {
                    assertThat(pieces(tokenizer, ids))
                            .as(row.path("text").textValue())
                            .isEqualTo(TokenizerFixtures.strings(row.path("pieces")));
                }
            }
        }
    }

    @ParameterizedTest
    @MethodSource("references")
    void textThatASpecialTokenIsSpelledInStaysText(Path reference) {
        try (Tokenizer tokenizer = open(reference)) {
            for (JsonNode row : TokenizerFixtures.golden(reference)) {
                String text = row.path("text").textValue();
                assertThat(tokenizer.encode(tokenizer.protect(text), false, true))
                        .as(text)
                        .containsExactly(TokenizerFixtures.ids(row.path("ids")));
            }
        }
    }

    /** What takes time in the square of the length takes minutes here. */
    @ParameterizedTest
    @MethodSource("references")
    @Timeout(120)
    void aTextOfFiftyThousandCharactersTakesNoLongerForBeingOneWord(Path reference) {
        try (Tokenizer tokenizer = open(reference)) {
            for (String part : List.of("a", " ", "<|im_", "世")) {
                String text = "x" + part.repeat(50_000 / part.length()) + "x";
                int[] ids = tokenizer.encode(tokenizer.protect(text), true, true);
                assertThat(tokenizer.decode(ids, true)).isEqualTo(text);
            }
        }
    }

    @Test
    void thereAreEightReferencesOfManyStrings() {
        assertThat(references())
                .hasSizeGreaterThanOrEqualTo(8)
                .allSatisfy(reference ->
                        assertThat(TokenizerFixtures.golden(reference)).hasSizeGreaterThanOrEqualTo(170));
    }

    private static List<String> pieces(Tokenizer tokenizer, int[] ids) {
        TextStream stream = tokenizer.stream(false);
        List<String> pieces = new ArrayList<>();
        for (int i = 0; i < ids.length; i++) {
            pieces.add(stream.append(ids[i]) + (i == ids.length - 1 ? stream.flush() : ""));
        }
        return pieces;
    }
}
