package dev.lory.kernel;

import static dev.lory.kernel.Outputs.assertClose;
import static dev.lory.kernel.Outputs.assertSameBits;
import static dev.lory.kernel.Outputs.blank;
import static dev.lory.kernel.Outputs.exactly;
import static dev.lory.kernel.Outputs.map;
import static dev.lory.kernel.Outputs.read;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import dev.lory.tensor.DType;
import dev.lory.tensor.Tensor;
import java.util.Arrays;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** What a backend must do with rows by themselves, and how a {@link BackendContract} is checked. */
abstract class RowContract {
    /** One more than two tiles of 16, so that every smaller count and every remainder occurs below it. */
    static final int ROWS = 33;

    static final double ULP = 0x1p-24;

    final Samples samples = new Samples(20261125);
    final Backend reference = new ReferenceBackend();
    Backend backend = reference;

    /** An operation with its operands on a backend. */
    interface Operands {
        /** The outputs for some rows of the operands. */
        Tensor[] compute(int from, int count);
    }

    /** An operation that can be set up on any backend. */
    interface Operation {
        Operands on(Backend on);
    }

    protected abstract Backend open();

    @BeforeEach
    void openBackend() {
        backend = open();
    }

    @AfterEach
    void closeBackends() {
        backend.close();
        reference.close();
    }

    @ParameterizedTest
    @EnumSource(DType.class)
    void embedsTheRowsOfTheTokens(DType dtype) {
        Tensor table = samples.weight(dtype, 70, 256);
        check(
                on -> {
                    Weight loaded = on.load(table);
                    return (from, count) -> {
                        Tensor y = blank(on, count, 256);
                        on.embed(loaded, batch(from, count), y);
                        return new Tensor[] {y};
                    };
                },
                exactly(ROWS, 256));
    }

    @Test
    void gathersRows() {
        Tensor x = samples.numbers(ROWS, 49);
        int[] order = samples.shuffled(ROWS);
        check(
                on -> {
                    Tensor input = on.upload(x);
                    return (from, count) -> {
                        Tensor y = blank(on, count, 49);
                        on.gatherRows(input, Arrays.copyOfRange(order, from, from + count), y);
                        return new Tensor[] {y};
                    };
                },
                exactly(ROWS, 49));
    }

    static IntStream widths() {
        return IntStream.of(1, 7, 16, 17, 31, 64, 300);
    }

    @ParameterizedTest
    @MethodSource("widths")
    void normalisesByTheRootOfTheMeanSquare(int cols) {
        Tensor x = samples.numbers(ROWS, cols);
        Tensor weight = samples.numbers(1, cols);
        Operation norm = on -> {
            Tensor input = on.upload(x);
            Tensor w = on.upload(weight);
            return (from, count) -> {
                Tensor y = blank(on, count, cols);
                on.rmsNorm(input.slice(from, count), w, 1e-5f, y);
                return new Tensor[] {y};
            };
        };
        check(norm, relative(norm, (cols + 8) * ULP, 0));
        Operation inPlace = inPlace(x, (on, y, from) -> on.rmsNorm(y, on.upload(weight), 1e-5f, y));
        check(inPlace, relative(norm, (cols + 8) * ULP, 0));
    }

    @ParameterizedTest
    @MethodSource("widths")
    void adds(int cols) {
        Tensor x = samples.numbers(ROWS, cols);
        check(
                inPlace(samples.numbers(ROWS, cols), (on, y, from) -> on.add(on.upload(x.slice(from, y.rows())), y)),
                exactly(ROWS, cols));
    }

    @ParameterizedTest
    @MethodSource("widths")
    void normalisesByMeanAndVariance(int cols) {
        Tensor x = samples.numbers(ROWS, cols);
        Tensor weight = samples.numbers(1, cols);
        Tensor bias = samples.numbers(1, cols);
        Operation norm = on -> {
            Tensor input = on.upload(x);
            Tensor w = on.upload(weight);
            Tensor b = on.upload(bias);
            return (from, count) -> {
                Tensor y = blank(on, count, cols);
                on.layerNorm(input.slice(from, count), w, b, 1e-5f, y);
                return new Tensor[] {y};
            };
        };
        // of two columns the mean takes most digits away
        check(norm, relative(norm, (cols + 8) * ULP, (cols + 200) * ULP));
    }

    @ParameterizedTest
    @MethodSource("widths")
    void addsARowToAll(int cols) {
        Tensor bias = samples.numbers(1, cols);
        check(
                inPlace(samples.numbers(ROWS, cols), (on, y, from) -> on.addRow(on.upload(bias), y)),
                exactly(ROWS, cols));
    }

    @ParameterizedTest
    @MethodSource("widths")
    void scales(int cols) {
        check(inPlace(samples.numbers(ROWS, cols), (on, y, from) -> on.scale(0.3f, y)), exactly(ROWS, cols));
    }

    @Test
    void clearsAndWritesRows() {
        Tensor x = samples.numbers(ROWS, 33);
        Operation written = on -> (from, count) -> {
            Tensor y = blank(on, count, 33);
            on.clear(y);
            for (int r = 0; r < count; r++) {
                if ((from + r) % 3 != 0) {
                    on.write(x.row(from + r), y, r);
                }
            }
            return new Tensor[] {y};
        };
        check(written, exactly(ROWS, 33));
    }

    static Stream<Arguments> activations() {
        return Arrays.stream(Activation.values())
                .flatMap(activation -> widths().mapToObj(cols -> arguments(activation, cols)));
    }

    @ParameterizedTest
    @MethodSource("activations")
    void activates(Activation activation, int cols) {
        Tensor x = spread(cols);
        Operation inPlace = inPlace(x, (on, y, from) -> on.activate(activation, y, y));
        Operation elsewhere = on -> (from, count) -> {
            Tensor y = blank(on, count, cols);
            on.activate(activation, on.upload(x.slice(from, count)), y);
            return new Tensor[] {y};
        };
        check(inPlace, relative(inPlace, 1e-6, activationError(activation)));
        check(elsewhere, relative(elsewhere, 1e-6, activationError(activation)));
    }

    @ParameterizedTest
    @MethodSource("activations")
    void gates(Activation activation, int cols) {
        Tensor up = samples.numbers(ROWS, cols);
        Operation gated =
                inPlace(spread(cols), (on, y, from) -> on.gate(activation, y, on.upload(up.slice(from, y.rows())), y));
        // |up| < 6
        check(gated, relative(gated, 1e-6, 6 * activationError(activation)));
    }

    /** Beside 10⁻⁶ of the result. */
    private static double activationError(Activation activation) {
        return switch (activation) {
            case SILU -> 1e-30;
            case GELU, GELU_TANH -> 1e-6;
        };
    }

    @ParameterizedTest
    @MethodSource("widths")
    void capsSoftly(int cols) {
        Tensor x = spread(cols);
        for (float cap : new float[] {1, 30}) {
            Operation capped = inPlace(x, (on, y, from) -> on.softCap(cap, y));
            check(capped, relative(capped, 1e-6, 1e-37));
        }
    }

    /** Numbers of all sizes, among them those where an exponential under- or overflows. */
    private Tensor spread(int cols) {
        float[] special = {0, -0f, 1e-30f, -1e-30f, 87, -87, 88.5f, -88.5f, 104, -104, 1e4f, -1e4f, 1e30f, -1e30f};
        Tensor x = samples.numbers(ROWS, cols);
        for (int i = 0; i < ROWS * cols; i++) {
            float v = i % 5 == 0 ? special[i / 5 % special.length] : 4 * x.get(i / cols, i % cols);
            x.set(i / cols, i % cols, v);
        }
        return x;
    }

    static Stream<Arguments> rotations() {
        return Stream.of(
                arguments(8, 4),
                arguments(8, 1),
                arguments(64, 32),
                arguments(64, 8),
                arguments(80, 16),
                arguments(80, 40),
                arguments(96, 48),
                arguments(128, 19),
                arguments(256, 128));
    }

    @ParameterizedTest(name = "heads of {0}, {1} pairs")
    @MethodSource("rotations")
    void rotatesTheFirstElementsOfEachHead(int headDim, int half) {
        Tensor cos = samples.numbers(200, half);
        Tensor sin = samples.numbers(200, half);
        Tensor x = samples.numbers(ROWS, 3 * headDim);
        Operation rotated =
                inPlace(x, (on, y, from) -> on.rope(y, headDim, on.upload(cos), on.upload(sin), batch(from, y.rows())));
        check(rotated, relative(rotated, 0, 64 * ULP));
    }

    /** Rows of one sequence, each with a token and a position of its own. */
    private static StepBatch batch(int from, int count) {
        StepBatch batch = new StepBatch(count);
        batch.sequence(new int[0], 0);
        for (int row = from; row < from + count; row++) {
            batch.add(row * 37 % 70, row * 5 + 3, row);
            if (row % 4 == 1) {
                batch.rotateBy(row - from, row * 11 % 200);
            }
        }
        return batch;
    }

    /** What is done to rows {@code from ..} in place. */
    private interface Change {
        void apply(Backend on, Tensor y, int from);
    }

    private static Operation inPlace(Tensor start, Change change) {
        return on -> (from, count) -> {
            Tensor y = on.upload(start.slice(from, count));
            change.apply(on, y, from);
            return new Tensor[] {y};
        };
    }

    // ---- checking

    /** Against the reference with all rows; then every smaller number of rows, and each row alone, against the bits of that. */
    final void check(Operation operation, double[][][] bound) {
        Operands mine = operation.on(backend);
        double[][][] all = read(backend, mine.compute(0, ROWS));
        double[][][] want = read(reference, operation.on(reference).compute(0, ROWS));
        for (int i = 0; i < all.length; i++) {
            assertClose(all[i], want[i], bound[i]);
        }
        for (int count = 1; count < ROWS; count++) {
            assertSameBits(read(backend, mine.compute(0, count)), all, 0);
        }
        for (int row = 0; row < ROWS; row++) {
            assertSameBits(read(backend, mine.compute(row, 1)), all, row);
        }
    }

    /** So much of the reference's result, and so much besides. */
    private double[][][] relative(Operation operation, double factor, double more) {
        return map(read(reference, operation.on(reference).compute(0, ROWS)), v -> factor * Math.abs(v) + more);
    }
}
