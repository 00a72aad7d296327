package dev.lory.adapter;

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
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Adapters on GGUF files that llama.cpp's converter made, against transformers on the same weights, dequantised. On Llama files the rows of
 * q and k are permuted, so a delta that is added without regard to that is wrong by 8 to 12.
 */
final class QuantisedBaseTest {
    private static final Path GGUF = Path.of("src/test/resources/fixtures/gguf");
    private static final double ROUNDING = 5e-4;

    static List<Path> files() throws IOException {
        try (Stream<Path> files = Files.walk(GGUF)) {
            return files.filter(file -> file.toString().endsWith(".gguf"))
                    .filter(file -> Files.exists(file.resolveSibling(stem(file) + ".golden.json")))
                    .filter(file -> Files.isDirectory(file.resolveSibling("adapters")))
                    .sorted()
                    .toList();
        }
    }

    private static String stem(Path file) {
        String name = file.getFileName().toString();
        return name.substring(0, name.lastIndexOf('.'));
    }

    private static ModelFixture open(Path file, Backend backend) {
        return new ModelFixture(file.resolveSibling("."), file, stem(file) + ".golden", backend);
    }

    @ParameterizedTest
    @MethodSource("files")
    void theReferenceGivesWhatTransformersGivesOnTheDecodedWeights(Path file) {
        try (ModelFixture fixture = open(file, new ReferenceBackend())) {
            fixture.golden.get("cases").fieldNames().forEachRemaining(name -> {
                ModelFixture.Output output = output(fixture, name);
                assertThat(difference(file, name, output)).as(name).isLessThan(ROUNDING);
                JsonNode expected = fixture.golden.get("cases").get(name);
                for (int i = 0; i < output.greedy.size(); i++) {
                    if (expected.get("truth_greedy_margins").get(i).asDouble() < 2 * ROUNDING) {
                        break; // from here on the path is a matter of rounding
                    }
                    assertThat(output.greedy.get(i))
                            .as("%s, token %d", name, i)
                            .isEqualTo(expected.get("truth_greedy").get(i).asInt());
                }
            });
        }
    }

    /** It rounds activations to 8 bits, as llama.cpp does. */
    @ParameterizedTest
    @MethodSource("files")
    void theCpuBackendIsAsNearAsLlamaCpp(Path file) {
        try (ModelFixture fixture = open(file, new CpuBackend(2, Kernels.AUTO))) {
            fixture.golden.get("cases").fieldNames().forEachRemaining(name -> {
                double theirs = fixture.golden
                        .get("cases")
                        .get(name)
                        .get("llamacpp_vs_truth_all")
                        .get("max_abs")
                        .asDouble();
                assertThat(difference(file, name, output(fixture, name)))
                        .as(name)
                        .isLessThan(2 * theirs);
            });
        }
    }

    private static ModelFixture.Output output(ModelFixture fixture, String name) {
        int[] prompt = IntStream.range(0, fixture.golden.get("prompt").size())
                .map(i -> fixture.golden.get("prompt").get(i).asInt())
                .toArray();
        return fixture.run(List.of(prompt), List.of(fixture.adapters(name))).getFirst();
    }

    private static double difference(Path file, String name, ModelFixture.Output output) {
        double largest = 0;
        try (SafetensorsSource source =
                SafetensorsSource.open(file.resolveSibling(stem(file) + ".golden.safetensors"))) {
            Tensor expected = source.tensor(name + ".truth.logits");
            assertThat(output.logits).hasSize(expected.rows());
            for (int row = 0; row < expected.rows(); row++) {
                float[] actual = output.logits.get(row);
                for (int i = 0; i < actual.length; i++) {
                    double difference = Math.abs((double) actual[i] - expected.row(row)[i]);
                    largest = difference <= largest ? largest : difference; // a NaN stays
                }
            }
        }
        return largest;
    }
}
