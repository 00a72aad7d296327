package dev.lory.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import dev.lory.format.SafetensorsSource;
import dev.lory.kernel.ReferenceBackend;
import dev.lory.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Files of llama.cpp's own converter and quantiser, with adapters trained in Hugging Face order on top, against what transformers
 * computes with the numbers in the file.
 */
final class GgufGoldenTest {
    private static final Path FOLDER = Path.of("src/test/resources/fixtures/gguf");

    /** The noise of F32 arithmetic; a wrong order of rows is off by 8 and more. */
    private static final float TOLERANCE = 3e-4f;

    static Stream<Path> files() throws IOException {
        try (Stream<Path> files = Files.walk(FOLDER)) {
            return files.filter(file -> Files.exists(golden(file, ".json"))).sorted().toList().stream();
        }
    }

    private static Path golden(Path file, String suffix) {
        return Path.of(file.toString().replaceFirst("\\.gguf$", ".golden") + suffix);
    }

    @ParameterizedTest
    @MethodSource("files")
    void agreesWithTransformersOnTheNumbersInTheFile(Path file) throws IOException {
        try (ModelFixture fixture = new ModelFixture(
                        file, file.resolveSibling("adapters"), golden(file, ""), new ReferenceBackend());
                SafetensorsSource goldens = SafetensorsSource.open(fixture.goldenTensors())) {
            int[] prompt = ModelFixture.ints(fixture.golden.get("prompt"));
            JsonNode cases = fixture.golden.get("cases");
            assertThat(fixture.cases()).hasSize(cases.size());
            for (String name : fixture.cases()) {
                Tensor truth = goldens.tensor(name + ".truth.logits");
                float[][] logits = fixture.logits(prompt, fixture.set(name), prompt.length);
                for (int position = 0; position < prompt.length; position++) {
                    float[] expected = truth.row(position);
                    for (int id = 0; id < expected.length; id++) {
                        assertThat(logits[position][id])
                                .as("%s, logit of %d at %d", name, id, position)
                                .isCloseTo(expected[id], within(TOLERANCE));
                    }
                }
                checkContinuation(fixture, name, prompt, cases.get(name));
            }
        }
    }

    /** Each token of the truth's continuation is the likeliest after those before it. */
    private static void checkContinuation(ModelFixture fixture, String name, int[] prompt, JsonNode golden) {
        int[] greedy = ModelFixture.ints(golden.get("truth_greedy"));
        int[] tokens = Arrays.copyOf(prompt, prompt.length + greedy.length - 1);
        System.arraycopy(greedy, 0, tokens, prompt.length, greedy.length - 1);
        float[][] logits = fixture.logits(tokens, fixture.set(name), greedy.length);
        for (int i = 0; i < greedy.length; i++) {
            if (golden.get("truth_greedy_margins").get(i).asDouble() > 2 * TOLERANCE) {
                float[] row = logits[i];
                int likeliest = IntStream.range(0, row.length)
                        .reduce((a, b) -> row[b] > row[a] ? b : a)
                        .orElseThrow();
                assertThat(likeliest).as("%s, token %d", name, i).isEqualTo(greedy[i]);
            }
        }
    }
}
