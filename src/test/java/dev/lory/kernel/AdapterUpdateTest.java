package dev.lory.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.lory.format.GgufSource;
import dev.lory.kernel.cpu.CpuBackend;
import dev.lory.kernel.cpu.Kernels;
import dev.lory.tensor.Tensor;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.Random;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.Named;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What adapters do beyond adding a product: DoRA's gain, whole weights in place of the base's, and changes of the embedding. */
final class AdapterUpdateTest {
    private static final int ROWS = 11;
    private static final int IN = 300;
    private static final int OUT = 53;
    private static final int RANK = 5;
    private static final int[] TOKENS = {4, 0, 52, 17, 17, 4, 33, 8, 9, 10, 11};

    private final Random random = new Random(7);
    private final Arena arena = Arena.ofAuto();
    private final Tensor w = random(OUT, IN);
    private final Tensor other = random(OUT, IN);
    private final Tensor x = random(ROWS, IN);
    private final Tensor a = random(RANK, IN);
    private final Tensor b = random(OUT, RANK);
    private final Tensor gain = random(1, OUT);
    private final Tensor embeddingA = random(RANK, OUT);
    private final Tensor embeddingB = random(IN, RANK);

    static Stream<Named<Supplier<Backend>>> backends() {
        return Stream.of(
                Named.of("reference", ReferenceBackend::new),
                Named.of("vector", () -> new CpuBackend(1, Kernels.VECTOR)),
                Named.of("automatic, two threads", () -> new CpuBackend(2, Kernels.AUTO)));
    }

    private Tensor random(int rows, int cols) {
        float[] values = new float[rows * cols];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) random.nextGaussian();
        }
        return Tensor.of(arena, rows, cols, values);
    }

    /** Slot 0 is a DoRA adapter, slot 1 a plain one, slot 2 a replacement; rows 1 and 10 are the base's, row 9 runs with two. */
    private static RowGroups rows() {
        RowGroups rows = new RowGroups();
        fill(rows);
        return rows;
    }

    private static void fill(RowGroups rows) {
        rows.group(0);
        add(rows, 1, 0, 2, 3, 5, 6, 9);
        rows.group(1);
        add(rows, 0.5f, 4, 9);
        rows.group(2);
        add(rows, 1, 7, 8);
    }

    private static void add(RowGroups rows, float weight, int... of) {
        for (int row : of) {
            rows.add(row, weight);
        }
    }

    private LoraFactors[] factors(Backend backend) {
        return new LoraFactors[] {
            backend.loadDora(a, b, 0.7f, gain), backend.loadLora(a, b, 0.7f), backend.loadReplacement(other)
        };
    }

    private static double dot(Tensor left, int row, Tensor right, int of) {
        double sum = 0;
        for (int i = 0; i < left.cols(); i++) {
            sum += (double) left.get(row, i) * right.get(of, i);
        }
        return sum;
    }

    private double product(int row, int out) {
        double sum = 0;
        for (int r = 0; r < RANK; r++) {
            sum += b.get(out, r) * dot(a, r, x, row);
        }
        return 0.7 * sum;
    }

    private double expected(int row, int out) {
        double base = dot(w, out, x, row);
        return switch (row) {
            case 0, 2, 3, 5, 6 -> gain.get(0, out) * (base + product(row, out));
            case 4 -> base + 0.5 * product(row, out);
            case 9 -> gain.get(0, out) * (base + product(row, out)) + 0.5 * product(row, out);
            case 7, 8 -> dot(other, out, x, row);
            default -> base;
        };
    }

    private Tensor[] project(Backend backend, RowGroups rows, Tensor input) {
        Weight weight = backend.load(w);
        LoraFactors[] factors = factors(backend);
        Tensor from = backend.upload(input);
        Tensor[] ys = {backend.allocate(input.rows(), OUT), backend.allocate(input.rows(), OUT)};
        backend.project(new Weight[] {weight, weight}, from, ys);
        backend.lora(
                new LoraFactors[][] {factors, {LoraFactors.NONE, LoraFactors.NONE, LoraFactors.NONE}},
                new int[2],
                rows,
                from,
                ys);
        backend.download(ys[0], 0, new float[OUT]);
        for (LoraFactors of : factors) {
            of.close();
        }
        return ys;
    }

    @ParameterizedTest
    @MethodSource("backends")
    void eachRowHasTheGainAndTheWeightOfItsOwnAdapter(Supplier<Backend> make) {
        try (Backend backend = make.get()) {
            Tensor[] ys = project(backend, rows(), x);
            for (int row = 0; row < ROWS; row++) {
                for (int out = 0; out < OUT; out++) {
                    assertThat((double) ys[0].get(row, out))
                            .as("row %d, output %d", row, out)
                            .isCloseTo(expected(row, out), within(5e-4));
                    assertThat((double) ys[1].get(row, out)).isCloseTo(dot(w, out, x, row), within(5e-4));
                }
            }
        }
    }

    @ParameterizedTest
    @MethodSource("backends")
    void aRowIsTheSameBitsAlone(Supplier<Backend> make) {
        try (Backend backend = make.get()) {
            Tensor together = project(backend, rows(), x)[0];
            for (int slot = 0; slot < 3; slot++) {
                int row = new int[] {6, 4, 8}[slot];
                RowGroups alone = new RowGroups();
                alone.group(slot);
                alone.add(0, slot == 1 ? 0.5f : 1);
                Tensor y = project(backend, alone, x.slice(row, 1))[0];
                assertThat(y.row(0)).as("slot %d", slot).containsExactly(together.row(row));
            }
        }
    }

    @ParameterizedTest
    @MethodSource("backends")
    void theEmbeddingIsChangedBeforeAnythingElse(Supplier<Backend> make) {
        try (Backend backend = make.get()) {
            StepBatch batch = new StepBatch(ROWS);
            batch.sequence(new int[] {0}, 0);
            for (int row = 0; row < ROWS; row++) {
                batch.add(TOKENS[row], row, row);
            }
            fill(batch.adapters());
            LoraFactors lora = backend.loadLora(embeddingA, embeddingB, 0.7f);
            LoraFactors[] factors = {LoraFactors.NONE, lora, backend.loadReplacement(other)};
            Tensor y = backend.allocate(ROWS, IN);
            backend.embed(backend.load(w), batch, y);
            backend.embedLora(factors, 0, batch, y);
            for (int row = 0; row < ROWS; row++) {
                for (int i = 0; i < IN; i++) {
                    double sum = 0;
                    for (int r = 0; r < RANK; r++) {
                        sum += 0.5 * 0.7 * embeddingB.get(i, r) * embeddingA.get(r, TOKENS[row]);
                    }
                    double expected = switch (row) {
                        case 4, 9 -> w.get(TOKENS[row], i) + sum;
                        case 7, 8 -> other.get(TOKENS[row], i);
                        default -> w.get(TOKENS[row], i);
                    };
                    assertThat((double) y.get(row, i)).as("row %d", row).isCloseTo(expected, within(1e-5));
                }
            }
            lora.close();
        }
    }

    @ParameterizedTest
    @MethodSource("backends")
    void aLoadedWeightIsDecodedToWhatTheFileSays(Supplier<Backend> make) {
        Path file = Path.of("src/test/resources/fixtures/gguf/llama-f/llama-f-Q4_1.gguf");
        try (Backend backend = make.get();
                GgufSource source = GgufSource.open(file);
                Arena arena = Arena.ofShared()) {
            assertThat(source.names()).isNotEmpty();
            for (String name : source.names()) {
                Tensor tensor = source.tensor(name, arena);
                Weight weight = backend.load(tensor);
                float[] row = new float[tensor.cols()];
                backend.decodeRow(weight, tensor.rows() - 1, row);
                assertThat(row).as(name).containsExactly(tensor.row(tensor.rows() - 1), within(1e-6f));
            }
        }
    }
}
