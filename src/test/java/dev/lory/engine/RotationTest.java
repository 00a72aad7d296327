package dev.lory.engine;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.lory.Folders;
import dev.lory.adapter.AdapterSet;
import dev.lory.kernel.ReferenceBackend;
import dev.lory.sampling.SamplingParams;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Sequences that outgrow the length their rotary angles are made for: the engine, with its cache, says what a model without one says, which
 * computes the whole sequence for each token.
 */
final class RotationTest {
    private static final Path MODELS = Path.of("src/test/resources/fixtures/models");

    @TempDir
    Path folder;

    static Stream<Arguments> models() {
        return Stream.of(
                Arguments.of("phi3-longrope", "{}", 40),
                Arguments.of(
                        "llama",
                        "{\"max_position_embeddings\": 44, \"rope_scaling\": {\"type\": \"dynamic\", \"factor\": 2.0}}",
                        44));
    }

    @ParameterizedTest(name = "{0} {1}")
    @MethodSource("models")
    void continuesAcrossTheOriginalLengthAsIfComputedAnew(String model, String change, int original)
            throws IOException {
        try (ModelFixture fixture = new ModelFixture(changed(model, change), new ReferenceBackend());
                Engine engine =
                        new Engine(fixture.decoder(), fixture.delta(), new EngineOptions(8, 100, 24, 0, 60, 4))) {
            List<AdapterSet> sets = List.of(AdapterSet.BASE, fixture.set("adapter.math"), fixture.set("mix"));
            List<int[]> prompts = new ArrayList<>();
            for (int length : new int[] {original - 12, original - 1, original, original + 1, original - 12}) {
                prompts.add(Arrays.copyOf(fixture.prompt(3), length));
            }
            List<RecordingSink> sinks = new ArrayList<>();
            for (int i = 0; i < prompts.size(); i++) {
                RecordingSink sink = new RecordingSink();
                int[] prompt = prompts.get(i);
                engine.submit(new Sequence(
                        prompt,
                        prompt.length + 20,
                        sets.get(i % sets.size()),
                        SamplingParams.greedy(20),
                        new int[0],
                        0,
                        fixture.decoder().spec().vocab(),
                        sink));
                sinks.add(sink);
            }
            List<List<Integer>> said = sinks.stream().map(RecordingSink::tokens).toList();
            engine.close(); // the decoder has one user at a time
            for (int i = 0; i < prompts.size(); i++) {
                assertThat(said.get(i))
                        .as("prompt of %d tokens", prompts.get(i).length)
                        .isEqualTo(anew(fixture, prompts.get(i), sets.get(i % sets.size())));
            }
            assertThat(anew(fixture, prompts.getFirst(), AdapterSet.BASE))
                    .as("other angles beyond the original length matter")
                    .isNotEqualTo(withoutOtherAngles(fixture, prompts.getFirst()));
        }
    }

    private static List<Integer> anew(ModelFixture fixture, int[] prompt, AdapterSet set) {
        return greedy(prompt, tokens -> fixture.logits(tokens, set, 1)[0]);
    }

    private static List<Integer> withoutOtherAngles(ModelFixture fixture, int[] prompt) {
        return greedy(prompt, tokens -> fixture.logits(tokens, AdapterSet.BASE, 1, 0)[0]);
    }

    private interface Model {
        float[] logits(int[] tokens);
    }

    private static List<Integer> greedy(int[] prompt, Model model) {
        int[] tokens = prompt;
        List<Integer> said = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            float[] logits = model.logits(tokens);
            int best = 0;
            for (int id = 1; id < logits.length; id++) {
                best = logits[id] > logits[best] ? id : best;
            }
            said.add(best);
            tokens = Arrays.copyOf(tokens, tokens.length + 1);
            tokens[tokens.length - 1] = best;
        }
        return said;
    }

    /** A copy of a fixture with other keys in its config.json. */
    private Path changed(String model, String change) throws IOException {
        Folders.copy(MODELS.resolve(model), folder);
        ObjectMapper json = new ObjectMapper();
        Path config = folder.resolve("base/config.json");
        ObjectNode keys = (ObjectNode) json.readTree(config.toFile());
        keys.setAll((ObjectNode) json.readTree(change));
        json.writeValue(config.toFile(), keys);
        return folder;
    }
}
