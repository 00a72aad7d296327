package dev.lory.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import dev.lory.tensor.DType;
import dev.lory.tensor.Tensor;
import java.lang.foreign.Arena;
import java.util.Arrays;
import java.util.function.DoubleUnaryOperator;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * What every backend must do: agree with the reference on awkward sizes, and give a row the same bits whatever shares the step with it.
 *
 * <p>Tolerances: a sum of n products in F32 is off by n · 2⁻²⁴ · Σ|terms| at most, and Σ|terms| is the same operation of the reference on
 * magnitudes. With quantised weights activations may be rounded to int8, which moves each by half a step of its 32 columns at most, so the
 * product by as much as the magnitudes of the weights times those half steps.
 */
public abstract class BackendContract {
    /** One more than two tiles of 16, so that every smaller count and every remainder occurs below it. */
    private static final int ROWS = 33;

    private static final double ULP = 0x1p-24;

    private final Samples samples = new Samples(20261125);
    private final Backend reference = new ReferenceBackend();
    private Backend backend = reference;

    /** An operation with its operands on a backend. */
    interface Operands {
        /** The outputs for some rows of the operands. */
        Tensor[] compute(int from, int count);
    }

    /** An operation that can be set up on any backend. */
    private interface Operation {
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

    // ---- linear maps

    static Stream<Arguments> weights() {
        int[][] any = {{1, 32}, {16, 64}, {7, 96}, {40, 288}, {100, 576}, {33, 1536}};
        int[][] plain = {{17, 33}, {5, 257}, {24, 300}, {3, 1}};
        return Arrays.stream(DType.values())
                .flatMap(dtype -> Stream.concat(
                                Arrays.stream(any), dtype.blockLength() == 1 ? Arrays.stream(plain) : Stream.of())
                        .map(shape -> arguments(dtype, shape[0], shape[1])));
    }

    @ParameterizedTest(name = "{0} [{1}, {2}]")
    @MethodSource("weights")
    void projectsWhatInt8HoldsAsTheReferenceDoes(DType dtype, int out, int in) {
        Tensor weight = samples.weight(dtype, out, in);
        Tensor x = samples.bytes(ROWS, in);
        // the quants of Q4_1 meet x before their minimum does, and both are larger than the weight
        double[][][] bound = times(4 * (in + 4) * ULP, magnitude(weight, x));
        check(projection(x, weight), bound);
    }

    @ParameterizedTest(name = "{0} [{1}, {2}]")
    @MethodSource("weights")
    void projectsAnythingWithinHalfAStepOfInt8(DType dtype, int out, int in) {
        Tensor weight = samples.weight(dtype, out, in);
        Tensor x = samples.numbers(ROWS, in);
        double[][][] bound = times(4 * (in + 4) * ULP, magnitude(weight, x));
        if (dtype.blockLength() > 1) {
            bound = sum(bound, magnitude(weight, Samples.halfSteps(x)));
        }
        check(projection(x, weight), bound);
    }

    @Test
    void projectsSeveralWeightsOfDifferentTypesAtOnce() {
        Tensor x = samples.bytes(ROWS, 96);
        Tensor[] weights = {
            samples.weight(DType.Q4_1, 100, 96),
            samples.weight(DType.F16, 33, 96),
            samples.weight(DType.Q8_0, 16, 96),
            samples.weight(DType.F32, 1, 96),
            samples.weight(DType.Q4_0, 49, 96)
        };
        double[][][] bound = Arrays.stream(weights)
                .map(weight -> times(400 * ULP, magnitude(weight, x))[0])
                .toArray(double[][][]::new);
        check(projection(x, weights), bound);
    }

    private Operation projection(Tensor x, Tensor... weights) {
        return on -> {
            Weight[] loaded = load(on, weights);
            Tensor input = on.upload(x);
            return (from, count) -> {
                Tensor[] ys = blank(on, count, weights);
                on.project(loaded, input.slice(from, count), ys);
                return ys;
            };
        };
    }

    private static Weight[] load(Backend on, Tensor[] weights) {
        return Arrays.stream(weights).map(on::load).toArray(Weight[]::new);
    }

    /** Σ|w|·|x| for each row and output. */
    private double[][][] magnitude(Tensor weight, Tensor x) {
        Operation product = projection(Samples.magnitudes(x), Samples.magnitudes(weight));
        return read(reference, product.on(reference).compute(0, ROWS));
    }

    // ---- low-rank updates

    static Stream<Arguments> updates() {
        return Arrays.stream(DType.values())
                .filter(dtype -> dtype.blockLength() == 1)
                .flatMap(dtype -> Stream.of(arguments(dtype, 64), arguments(dtype, 320)));
    }

    @ParameterizedTest(name = "{0} factors, {1} inputs")
    @MethodSource("updates")
    void updatesEachRowByItsAdapters(DType dtype, int in) {
        Tensor x = samples.numbers(ROWS, in);
        Adapters adapters = new Adapters(samples, dtype, in, 24, 100);
        Tensor[] start = {samples.numbers(ROWS, 24), samples.numbers(ROWS, 100)};
        Tensor[] magnitudes = Arrays.stream(start).map(Samples::magnitudes).toArray(Tensor[]::new);
        double[][][] bound = read(
                reference,
                updated(adapters.magnitudes(), Samples.magnitudes(x), magnitudes)
                        .on(reference)
                        .compute(0, ROWS));
        check(updated(adapters, x, start), times((in + 100) * ULP, bound));
    }

    @Test
    void updatesTheOutputsOfTheProjectionBeforeIt() {
        Tensor x = samples.bytes(ROWS, 64);
        Adapters adapters = new Adapters(samples, DType.F16, 64, 24, 100);
        Tensor[] weights = {samples.weight(DType.Q8_0, 24, 64), samples.weight(DType.BF16, 100, 64)};
        Tensor[] magnitudes = Arrays.stream(weights).map(Samples::magnitudes).toArray(Tensor[]::new);
        double[][][] bound = read(
                reference,
                adapted(adapters.magnitudes(), Samples.magnitudes(x), magnitudes)
                        .on(reference)
                        .compute(0, ROWS));
        check(adapted(adapters, x, weights), times(300 * ULP, bound));
    }

    private static Operation updated(Adapters adapters, Tensor x, Tensor... start) {
        return on -> {
            LoraFactors[][] factors = adapters.load(on);
            Tensor input = on.upload(x);
            return (from, count) -> {
                Tensor[] ys = Arrays.stream(start)
                        .map(y -> on.upload(y.slice(from, count)))
                        .toArray(Tensor[]::new);
                on.lora(factors, adapters.rows(from, count), input.slice(from, count), ys);
                return ys;
            };
        };
    }

    private static Operation adapted(Adapters adapters, Tensor x, Tensor... weights) {
        return on -> {
            LoraFactors[][] factors = adapters.load(on);
            Weight[] loaded = load(on, weights);
            Tensor input = on.upload(x);
            return (from, count) -> {
                Tensor[] ys = blank(on, count, weights);
                Tensor rows = input.slice(from, count);
                on.project(loaded, rows, ys);
                on.lora(factors, adapters.rows(from, count), rows, ys);
                return ys;
            };
        };
    }

    // ---- rows

    @ParameterizedTest
    @EnumSource(DType.class)
    void embedsTheRowsOfTheTokens(DType dtype) {
        Tensor table = samples.weight(dtype, 70, 96);
        check(
                on -> {
                    Weight loaded = on.load(table);
                    return (from, count) -> {
                        Tensor y = blank(on, count, 96);
                        on.embed(loaded, batch(from, count), y);
                        return new Tensor[] {y};
                    };
                },
                exactly(96));
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
                exactly(49));
    }

    static IntStream widths() {
        return IntStream.of(1, 7, 16, 17, 31, 64, 300, 1536);
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
    }

    @ParameterizedTest
    @MethodSource("widths")
    void adds(int cols) {
        Tensor x = samples.numbers(ROWS, cols);
        check(
                inPlace(samples.numbers(ROWS, cols), (on, y, from) -> on.add(on.upload(x.slice(from, y.rows())), y)),
                exactly(cols));
    }

    @ParameterizedTest
    @MethodSource("widths")
    void gatesBySilu(int cols) {
        Tensor up = samples.numbers(ROWS, cols);
        Tensor gate = spread(cols);
        Operation gated =
                inPlace(gate, (on, y, from) -> on.gate(Activation.SILU, y, on.upload(up.slice(from, y.rows())), y));
        check(gated, relative(gated, 1e-6, 1e-30));
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
        batch.sequence(new int[0]);
        for (int row = from; row < from + count; row++) {
            batch.add(row * 37 % 70, row * 5 + 3, row);
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

    // ---- attention

    static Stream<AttentionCase> attentions() {
        return AttentionCase.all();
    }

    @ParameterizedTest
    @MethodSource("attentions")
    void attendsAsTheReferenceDoes(AttentionCase attention) {
        Operands mine = attention.on(backend);
        double[][] all = read(backend, mine.compute(0, attention.rows())[0]);
        double[][] want = read(reference, attention.on(reference).compute(0, attention.rows())[0]);
        assertClose(all, want, attention.bound(reference));
        for (int row = 0; row < attention.rows(); row++) {
            assertSameBits(read(backend, mine.compute(row, 1)[0]), all, row);
        }
    }

    // ---- comparing

    /** Against the reference with all rows; then every smaller number of rows, and each row alone, against the bits of that. */
    private void check(Operation operation, double[][][] bound) {
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

    private static void assertClose(double[][] actual, double[][] expected, double[][] bound) {
        for (int r = 0; r < expected.length; r++) {
            for (int i = 0; i < expected[r].length; i++) {
                double off = Math.abs(actual[r][i] - expected[r][i]);
                if (!(off <= bound[r][i])) {
                    fail("row %d, column %d: %s instead of %s, off by %s where %s is allowed"
                            .formatted(r, i, actual[r][i], expected[r][i], off, bound[r][i]));
                }
            }
        }
    }

    private static void assertSameBits(double[][][] some, double[][][] all, int from) {
        for (int i = 0; i < some.length; i++) {
            assertSameBits(some[i], all[i], from);
        }
    }

    private static void assertSameBits(double[][] some, double[][] all, int from) {
        for (int r = 0; r < some.length; r++) {
            assertThat(some[r])
                    .as("row %d as one of %d rows", from + r, some.length)
                    .containsExactly(all[from + r]);
        }
    }

    private static double[][][] read(Backend from, Tensor... ys) {
        return Arrays.stream(ys).map(y -> read(from, y)).toArray(double[][][]::new);
    }

    static double[][] read(Backend from, Tensor y) {
        float[] row = new float[y.cols()];
        double[][] rows = new double[y.rows()][];
        for (int r = 0; r < rows.length; r++) {
            from.download(y, r, row);
            rows[r] = IntStream.range(0, row.length).mapToDouble(i -> row[i]).toArray();
        }
        return rows;
    }

    /** Outputs full of what no operation may leave there. */
    static Tensor blank(Backend on, int rows, int cols) {
        float[] nothing = new float[rows * cols];
        Arrays.fill(nothing, Float.NaN);
        return on.upload(Tensor.of(Arena.ofAuto(), rows, cols, nothing));
    }

    private static Tensor[] blank(Backend on, int rows, Tensor[] weights) {
        return Arrays.stream(weights)
                .map(weight -> blank(on, rows, weight.rows()))
                .toArray(Tensor[]::new);
    }

    private static double[][][] times(double factor, double[][][] of) {
        return map(of, v -> factor * v);
    }

    private static double[][][] exactly(int cols) {
        return new double[][][] {new double[ROWS][cols]};
    }

    /** So much of the reference's result, and so much besides. */
    private double[][][] relative(Operation operation, double factor, double more) {
        return map(read(reference, operation.on(reference).compute(0, ROWS)), v -> factor * Math.abs(v) + more);
    }

    private static double[][][] map(double[][][] of, DoubleUnaryOperator each) {
        return Arrays.stream(of)
                .map(matrix -> Arrays.stream(matrix)
                        .map(row -> Arrays.stream(row).map(each).toArray())
                        .toArray(double[][]::new))
                .toArray(double[][][]::new);
    }

    private static double[][][] sum(double[][][] a, double[][][] b) {
        double[][][] sum = map(a, v -> v);
        for (int i = 0; i < a.length; i++) {
            for (int r = 0; r < a[i].length; r++) {
                for (int c = 0; c < a[i][r].length; c++) {
                    sum[i][r][c] += b[i][r][c];
                }
            }
        }
        return sum;
    }
}
