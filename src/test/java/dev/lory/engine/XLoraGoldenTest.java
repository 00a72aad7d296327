package dev.lory.engine;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.lory.format.SafetensorsSource;
import dev.lory.kernel.Backend;
import dev.lory.kernel.ReferenceBackend;
import dev.lory.kernel.cpu.CpuBackend;
import dev.lory.kernel.cpu.Kernels;
import dev.lory.sampling.Sampler;
import dev.lory.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Every folder of fixtures/xlora on every backend against the reference in torch, which is bit for bit PEFT's where PEFT has the setting:
 * scalings, log-probabilities, continuations with scalings of each token and with frozen ones. All prompts and modes run at once. Leaves the
 * differences in {@code target/numerics/xlora.md}.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
final class XLoraGoldenTest {
    private static final List<String> MODES = List.of("granular", "non_granular_1", "non_granular_3");

    /**
     * The CPU keeps keys and values in halves.
     *
     * @param allowance how much further than the goldens' own noise it may be off
     * @param chosen the same with top-k, which may choose another adapter at a near tie
     */
    private record Candidate(String name, Supplier<Backend> backend, double allowance, double chosen) {
        double allowed(XLoraFixture fixture) {
            return fixture.weights.settings().topK() > 0 ? chosen : allowance;
        }
    }

    private static final List<Candidate> CANDIDATES = List.of(
            new Candidate("reference", ReferenceBackend::new, 0, 0),
            new Candidate("cpu", () -> new CpuBackend(2, Kernels.AUTO), 0.03, 1),
            new Candidate("vector", () -> new CpuBackend(2, Kernels.VECTOR), 0.03, 1));

    /** One of the sequences that ran. */
    private record Run(int prompt, String mode, Sequence sequence, RecordingSink sink) {}

    private final Map<String, List<String>> differences = new TreeMap<>();

    static Stream<Arguments> cases() throws IOException {
        List<String> names;
        try (Stream<Path> folders = Files.list(XLoraFixture.FOLDER)) {
            names = folders.filter(folder -> Files.exists(folder.resolve("golden.json")))
                    .map(folder -> String.valueOf(folder.getFileName()))
                    .sorted()
                    .toList();
        }
        return CANDIDATES.stream().flatMap(candidate -> names.stream().map(name -> Arguments.of(candidate, name)));
    }

    @ParameterizedTest(name = "{1} on {0}")
    @MethodSource("cases")
    void agreesWithTheReference(Candidate candidate, String name) throws IOException {
        try (XLoraFixture fixture = new XLoraFixture(name, candidate.backend().get());
                SafetensorsSource goldens =
                        SafetensorsSource.open(XLoraFixture.FOLDER.resolve(name).resolve("golden.safetensors"))) {
            JsonNode tolerances = fixture.golden.get("tolerance");
            double allowed = tolerances.get("logits").asDouble() + candidate.allowed(fixture);
            double scalings = 0;
            double logits = 0;
            for (Run run : run(fixture)) {
                scalings = Math.max(scalings, scalings(fixture, run));
                logits = Math.max(logits, logprobs(goldens.tensor("logits." + run.prompt), run.sink.first));
                JsonNode greedy = fixture.golden.get("greedy").get(run.mode).get(run.prompt);
                if (greedy.get("smallest_top2_margin").asDouble() > allowed) {
                    assertThat(run.sink.tokens())
                            .as("%s, prompt %d", run.mode, run.prompt)
                            .containsExactlyElementsOf(tokens(greedy));
                    Tensor last = goldens.tensor(run.mode + ".last_logits." + run.prompt);
                    logits = Math.max(logits, logprobs(last, run.sink.last));
                }
            }
            differences
                    .computeIfAbsent(name, unused -> new ArrayList<>())
                    .add(String.format(Locale.ROOT, "%.1e | %.1e", scalings, logits));
            assertThat(scalings)
                    .as("scalings")
                    .isLessThan(tolerances.get("scalings").asDouble() + candidate.allowance());
            assertThat(logits).as("logits").isLessThan(allowed);
        }
    }

    private static List<Integer> tokens(JsonNode greedy) {
        List<Integer> tokens = new ArrayList<>();
        greedy.get("tokens").forEach(token -> tokens.add(token.asInt()));
        return tokens;
    }

    private static List<Run> run(XLoraFixture fixture) {
        List<Run> runs = new ArrayList<>();
        try (Engine engine = fixture.engine(new EngineOptions(32, 100, 64, 0, 200, 16))) {
            for (String mode : MODES) {
                List<int[]> prompts = fixture.prompts();
                for (int p = 0; p < prompts.size(); p++) {
                    RecordingSink sink = new RecordingSink();
                    Sequence sequence = fixture.sequence(prompts.get(p), mode, true, sink);
                    engine.submit(sequence);
                    runs.add(new Run(p, mode, sequence, sink));
                }
            }
            runs.forEach(run -> run.sink.ending());
        }
        return runs;
    }

    /** The largest difference of what the layers used, as far as the reference says it. */
    private static double scalings(XLoraFixture fixture, Run run) throws IOException {
        boolean asPredicted = fixture.weights.settings().topK() == 0
                && !fixture.weights.settings().softmaxTopK();
        int tokens = fixture.prompts().get(run.prompt).length;
        double worst = 0;
        for (int token = 0; asPredicted && token < tokens; token++) {
            worst = Math.max(worst, fixture.distance(run.sequence.gates.at(token), run.prompt, token, tokens));
        }
        return worst;
    }

    /** The largest difference of log-probabilities. */
    private static double logprobs(Tensor logits, Map<Integer, Float> actual) {
        float[] expected = logits.row(logits.rows() - 1);
        double sum = Sampler.logSumExp(expected);
        double worst = 0;
        for (int id = 0; id < expected.length; id++) {
            double difference = Math.abs(expected[id] - sum - actual.getOrDefault(id, Float.NaN));
            worst = difference <= worst ? worst : difference; // NaN stays
        }
        return worst;
    }

    @ParameterizedTest(name = "{1} on {0}")
    @MethodSource("cases")
    void givesASequenceTheSameBitsWhateverIsBesideIt(Candidate candidate, String name) throws IOException {
        try (XLoraFixture fixture = new XLoraFixture(name, candidate.backend().get())) {
            Map<String, List<Object>> alone = new LinkedHashMap<>();
            for (String mode : MODES) {
                for (int[] prompt : fixture.prompts()) {
                    alone.putAll(together(
                            fixture, new EngineOptions(1, 100, 512, 0, 40, 16), List.of(mode), List.of(prompt)));
                }
            }
            List<EngineOptions> ways = List.of(
                    new EngineOptions(1, 100, 1, 0, 40, 16), // a row at a time
                    new EngineOptions(7, 100, 7, 0, 200, 16),
                    new EngineOptions(32, 100, 512, 0, 200, 16),
                    new EngineOptions(8, 100, 64, 0, 9, 16)); // hardly any room: who is the youngest begins anew
            for (EngineOptions way : ways) {
                assertThat(together(fixture, way, MODES, fixture.prompts()))
                        .as("%s", way)
                        .isEqualTo(alone);
            }
        }
    }

    /** Tokens and last log-probabilities of all prompts in all modes, twice, and beside base and LoRA. */
    private static Map<String, List<Object>> together(
            XLoraFixture fixture, EngineOptions options, List<String> modes, List<int[]> prompts) {
        Map<String, List<Object>> results = new LinkedHashMap<>();
        try (Engine engine = fixture.engine(options)) {
            for (int round = 0; round < 2; round++) { // the second finds prefixes
                Map<String, RecordingSink> sinks = new LinkedHashMap<>();
                for (String mode : modes) {
                    for (int[] prompt : prompts) {
                        RecordingSink sink = new RecordingSink();
                        engine.submit(fixture.sequence(prompt, mode, false, sink));
                        engine.submit(fixture.plain(prompt, prompt.length % 2 == 0, new RecordingSink()));
                        sinks.put(mode + " " + prompt.length, sink);
                    }
                }
                for (Map.Entry<String, RecordingSink> entry : sinks.entrySet()) {
                    List<Object> result = List.of(entry.getValue().tokens(), Map.copyOf(entry.getValue().last));
                    assertThat(results.getOrDefault(entry.getKey(), result)).isEqualTo(result);
                    results.put(entry.getKey(), result);
                }
            }
        }
        return results;
    }

    /** A line for each case, of each backend the largest difference of scalings and of log-probabilities. */
    @AfterAll
    void writeTable() throws IOException {
        StringBuilder table = new StringBuilder("| case |");
        CANDIDATES.forEach(candidate ->
                table.append(" scalings, ").append(candidate.name()).append(" | logits |"));
        table.append("\n|---|").append("---|---|".repeat(CANDIDATES.size())).append('\n');
        differences.forEach((name, values) -> table.append("| ")
                .append(name)
                .append(" | ")
                .append(String.join(" | ", values))
                .append(" |\n"));
        Files.writeString(Files.createDirectories(Path.of("target/numerics")).resolve("xlora.md"), table);
    }
}
