package dev.lory.engine;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.lory.format.SafetensorsSource;
import dev.lory.kernel.Backend;
import dev.lory.kernel.ReferenceBackend;
import dev.lory.kernel.cpu.CpuBackend;
import dev.lory.kernel.cpu.Kernels;
import dev.lory.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Files of llama.cpp's own converter and quantiser, with adapters trained in Hugging Face order on top, against what transformers
 * computes with the numbers in the file. Leaves the differences in {@code target/numerics/gguf.md}.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
final class GgufGoldenTest {
    private static final Path FOLDER = Path.of("src/test/resources/fixtures/gguf");

    /**
     * The CPU multiplies quantised weights with activations in 8 bits, as llama.cpp does, and keeps keys and values in halves.
     *
     * @param noise of F32 arithmetic, or of halves; a wrong order of rows is off by 8 and more
     * @param rounding how far it may be off in units of what llama.cpp is
     */
    private record Candidate(String name, Supplier<Backend> backend, double noise, double rounding) {}

    private static final List<Candidate> CANDIDATES = List.of(
            new Candidate("reference", ReferenceBackend::new, 3e-4, 0),
            new Candidate("cpu", () -> new CpuBackend(2, Kernels.AUTO), 0.02, 1.5),
            new Candidate("vector", () -> new CpuBackend(2, Kernels.VECTOR), 0.02, 1.5));

    /** By file and case, in the order of the candidates; llama.cpp's own last. */
    private final Map<String, List<Double>> differences = new TreeMap<>();

    static Stream<Arguments> files() throws IOException {
        try (Stream<Path> files = Files.walk(FOLDER)) {
            List<Path> sorted = files.filter(file -> Files.exists(golden(file, ".json")))
                    .sorted()
                    .toList();
            return CANDIDATES.stream().flatMap(candidate -> sorted.stream().map(file -> Arguments.of(candidate, file)));
        }
    }

    private static Path golden(Path file, String suffix) {
        return Path.of(file.toString().replaceFirst("\\.gguf$", ".golden") + suffix);
    }

    @ParameterizedTest(name = "{1} on {0}")
    @MethodSource("files")
    void agreesWithTransformersOnTheNumbersInTheFile(Candidate candidate, Path file) throws IOException {
        try (ModelFixture fixture = new ModelFixture(
                        file,
                        file.resolveSibling("adapters"),
                        golden(file, ""),
                        candidate.backend().get());
                SafetensorsSource goldens = SafetensorsSource.open(fixture.goldenTensors())) {
            int[] prompt = ModelFixture.ints(fixture.golden.get("prompt"));
            for (String name : fixture.cases()) {
                JsonNode golden = fixture.golden.get("cases").get(name);
                double llamaCpp = golden.at("/llamacpp_vs_truth_all/max_abs").asDouble();
                double tolerance = candidate.noise() + candidate.rounding() * llamaCpp;
                double difference = difference(fixture, goldens.tensor(name + ".truth.logits"), name, prompt);
                String row = file.getFileName() + " | " + name;
                differences.computeIfAbsent(row, unused -> new ArrayList<>()).add(difference);
                if (candidate.equals(CANDIDATES.getLast())) {
                    differences.get(row).add(llamaCpp);
                }
                assertThat(difference).as(row).isLessThan(tolerance);
                checkContinuation(fixture, name, prompt, tolerance);
            }
        }
    }

    private static double difference(ModelFixture fixture, Tensor truth, String name, int[] prompt) {
        double worst = 0;
        float[][] logits = fixture.logits(prompt, fixture.set(name), prompt.length);
        for (int position = 0; position < prompt.length; position++) {
            float[] expected = truth.row(position);
            for (int id = 0; id < expected.length; id++) {
                double difference = Math.abs((double) logits[position][id] - expected[id]);
                worst = difference <= worst ? worst : difference; // NaN stays
            }
        }
        return worst;
    }

    /** Each token of the truth's continuation is the likeliest after those before it, but for near ties. */
    private static void checkContinuation(ModelFixture fixture, String name, int[] prompt, double tolerance) {
        JsonNode golden = fixture.golden.get("cases").get(name);
        int[] greedy = ModelFixture.ints(golden.get("truth_greedy"));
        int[] tokens = Arrays.copyOf(prompt, prompt.length + greedy.length - 1);
        System.arraycopy(greedy, 0, tokens, prompt.length, greedy.length - 1);
        float[][] logits = fixture.logits(tokens, fixture.set(name), greedy.length);
        for (int i = 0; i < greedy.length; i++) {
            if (golden.get("truth_greedy_margins").get(i).asDouble() > 2 * tolerance) {
                float[] row = logits[i];
                int likeliest = IntStream.range(0, row.length)
                        .reduce((a, b) -> row[b] > row[a] ? b : a)
                        .orElseThrow();
                assertThat(likeliest).as("%s, token %d", name, i).isEqualTo(greedy[i]);
            }
        }
    }

    /** A line for each case, a column for each backend. */
    @AfterAll
    void writeTable() throws IOException {
        StringBuilder table = new StringBuilder("| file | case |");
        CANDIDATES.forEach(
                candidate -> table.append(' ').append(candidate.name()).append(" |"));
        table.append(" llama.cpp |\n|---|---|")
                .append("---|".repeat(CANDIDATES.size() + 1))
                .append('\n');
        differences.forEach((row, byBackend) -> {
            table.append("| ").append(row).append(" |");
            byBackend.forEach(difference -> table.append(String.format(Locale.ROOT, " %.1e |", difference)));
            table.append('\n');
        });
        Files.writeString(Files.createDirectories(Path.of("target/numerics")).resolve("gguf.md"), table);
    }
}
