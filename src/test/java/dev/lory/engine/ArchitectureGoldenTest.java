package dev.lory.engine;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.lory.adapter.AdapterSet;
import dev.lory.format.SafetensorsSource;
import dev.lory.kernel.Backend;
import dev.lory.kernel.ReferenceBackend;
import dev.lory.kernel.cpu.CpuBackend;
import dev.lory.kernel.cpu.Kernels;
import dev.lory.sampling.SamplingParams;
import dev.lory.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Every folder of fixtures/models and fixtures/branches on every backend against transformers and PEFT: logits of whole prompts, and greedy
 * continuations by the engine. Leaves the differences in {@code target/numerics/models.md}.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
final class ArchitectureGoldenTest {
    private static final Path FIXTURES = Path.of("src/test/resources/fixtures");

    /**
     * The CPU keeps keys and values in halves.
     *
     * @param allowance how much further than the goldens' own noise its logits may be off
     * @param routed the same for models whose router may send a row to another expert at a near tie
     */
    private record Candidate(String name, Supplier<Backend> backend, double allowance, double routed) {}

    private static final List<Candidate> CANDIDATES = List.of(
            new Candidate("reference", ReferenceBackend::new, 0, 0),
            new Candidate("cpu", () -> new CpuBackend(2, Kernels.AUTO), 0.02, 0.1),
            new Candidate("vector", () -> new CpuBackend(2, Kernels.VECTOR), 0.02, 0.1));

    /** By model and case, in the order of the candidates. */
    private final Map<String, Map<String, List<Double>>> differences = new TreeMap<>();

    static Stream<Arguments> models() throws IOException {
        List<Path> models = new ArrayList<>();
        for (String kind : List.of("models", "branches")) {
            try (Stream<Path> folders = Files.list(FIXTURES.resolve(kind))) {
                folders.filter(Files::isDirectory).sorted().forEach(models::add);
            }
        }
        return CANDIDATES.stream()
                .flatMap(candidate -> models.stream()
                        .map(folder -> Arguments.of(
                                candidate, FIXTURES.relativize(folder).toString())));
    }

    @ParameterizedTest(name = "{1} on {0}")
    @MethodSource("models")
    void agreesWithTransformersAndPeft(Candidate candidate, String model) throws IOException {
        try (ModelFixture fixture =
                new ModelFixture(FIXTURES.resolve(model), candidate.backend().get())) {
            boolean routed = fixture.decoder().spec().linearSites().stream()
                    .anyMatch(site -> site.path().contains(".experts."));
            double tolerance =
                    fixture.golden.get("tolerance").asDouble() + (routed ? candidate.routed() : candidate.allowance());
            Map<String, List<Double>> worst = differences.computeIfAbsent(model, unused -> new LinkedHashMap<>());
            try (SafetensorsSource goldens = SafetensorsSource.open(fixture.goldenTensors())) {
                for (String name : fixture.cases()) {
                    double difference = difference(fixture, goldens, name);
                    worst.computeIfAbsent(name, unused -> new ArrayList<>()).add(difference);
                    assertThat(difference).as("%s, logits of %s", model, name).isLessThan(tolerance);
                }
            }
            checkContinuations(fixture, tolerance);
        }
    }

    private static double difference(ModelFixture fixture, SafetensorsSource goldens, String name) {
        double worst = 0;
        for (int p = 0; p < fixture.golden.get("prompts").size(); p++) {
            Tensor expected = goldens.tensor(name + ".logits." + p);
            float[][] actual = fixture.logits(fixture.prompt(p), fixture.set(name), expected.rows());
            for (int row = 0; row < actual.length; row++) {
                float[] wanted = expected.row(row);
                for (int i = 0; i < wanted.length; i++) {
                    double difference = Math.abs(actual[row][i] - wanted[i]);
                    worst = difference <= worst ? worst : difference; // NaN stays
                }
            }
        }
        return worst;
    }

    /** All prompts of all cases at once, in chunks, with shared beginnings. */
    private static void checkContinuations(ModelFixture fixture, double tolerance) {
        EngineOptions options = new EngineOptions(32, 100, 64, 0, 200, 16);
        try (Engine engine = new Engine(fixture.decoder(), fixture.delta(), options)) {
            Map<String, RecordingSink> sinks = new LinkedHashMap<>();
            int prompts = fixture.golden.get("prompts").size();
            for (String name : fixture.cases()) {
                for (int p = 0; p < prompts; p++) {
                    RecordingSink sink = new RecordingSink();
                    int[] prompt = fixture.prompt(p);
                    int count = greedy(fixture, name, p).size();
                    engine.submit(new Sequence(
                            prompt,
                            prompt.length + count,
                            fixture.set(name),
                            SamplingParams.greedy(count),
                            new int[0],
                            0,
                            fixture.decoder().spec().vocab(),
                            sink));
                    sinks.put(name + p, sink);
                }
            }
            for (String name : fixture.cases()) {
                JsonNode margins = fixture.golden.get("cases").get(name).get("smallest_top2_margin_per_prompt");
                for (int p = 0; p < prompts; p++) {
                    List<Integer> tokens =
                            Objects.requireNonNull(sinks.get(name + p)).tokens();
                    if (margins.get(p).asDouble() > tolerance) {
                        assertThat(tokens).as("%s, prompt %d", name, p).isEqualTo(greedy(fixture, name, p));
                    }
                }
            }
        }
    }

    private static List<Integer> greedy(ModelFixture fixture, String name, int prompt) {
        List<Integer> tokens = new ArrayList<>();
        for (int id : ModelFixture.ints(
                fixture.golden.get("cases").get(name).get("greedy").get(prompt))) {
            tokens.add(id);
        }
        return tokens;
    }

    @ParameterizedTest(name = "{1} on {0}")
    @MethodSource("models")
    void givesASequenceTheSameBitsWhateverIsBesideIt(Candidate candidate, String model) throws IOException {
        try (ModelFixture fixture =
                new ModelFixture(FIXTURES.resolve(model), candidate.backend().get())) {
            List<int[]> prompts = new ArrayList<>();
            List<AdapterSet> sets = new ArrayList<>();
            for (String name : fixture.cases()) {
                int[] prompt = fixture.prompt(
                        sets.size() % fixture.golden.get("prompts").size());
                prompts.add(Arrays.copyOf(prompt, Math.min(prompt.length, 17)));
                sets.add(fixture.set(name));
            }
            float[][] together = fixture.together(prompts, sets);
            for (int i = 0; i < prompts.size(); i++) {
                assertThat(together[i])
                        .as("sequence %d", i)
                        .isEqualTo(fixture.together(List.of(prompts.get(i)), List.of(sets.get(i)))[0]);
            }
        }
    }

    /** A line for each case, a column for each backend. */
    @AfterAll
    void writeTable() throws IOException {
        StringBuilder table = new StringBuilder("| model | case |");
        CANDIDATES.forEach(
                candidate -> table.append(' ').append(candidate.name()).append(" |"));
        table.append("\n|---|---|").append("---|".repeat(CANDIDATES.size())).append('\n');
        differences.forEach((model, cases) -> cases.forEach((name, byBackend) -> {
            table.append("| ").append(model).append(" | ").append(name).append(" |");
            byBackend.forEach(difference -> table.append(String.format(Locale.ROOT, " %.1e |", difference)));
            table.append('\n');
        }));
        Files.writeString(Files.createDirectories(Path.of("target/numerics")).resolve("models.md"), table);
    }
}
