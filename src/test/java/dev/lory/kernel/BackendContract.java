package dev.lory.kernel;

import static dev.lory.kernel.Outputs.assertClose;
import static dev.lory.kernel.Outputs.assertSameBits;
import static dev.lory.kernel.Outputs.blank;
import static dev.lory.kernel.Outputs.read;
import static dev.lory.kernel.Outputs.sum;
import static dev.lory.kernel.Outputs.times;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import dev.lory.tensor.DType;
import dev.lory.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * What every backend must do: agree with the reference on awkward sizes, and give a row the same bits whatever shares the step with it.
 *
 * <p>Tolerances: a sum of n products in F32 is off by n · 2⁻²⁴ · Σ|terms| at most, and Σ|terms| is the same operation of the reference on
 * magnitudes. With quantised weights activations may be rounded to int8, which moves each by half a step of its 32 columns at most, so the
 * product by as much as the magnitudes of the weights times those half steps.
 */
public abstract class BackendContract extends RowContract {
    // ---- linear maps

    static Stream<Arguments> weights() {
        int[][] any = {{1, 32}, {16, 64}, {7, 96}, {40, 288}, {9, 256}, {100, 576}, {33, 1536}};
        int[][] plain = {{17, 33}, {5, 257}, {24, 300}, {3, 1}};
        return Arrays.stream(DType.values())
                .flatMap(dtype -> Stream.concat(
                                Arrays.stream(any).filter(shape -> shape[1] % dtype.blockLength() == 0),
                                dtype.blockLength() == 1 ? Arrays.stream(plain) : Stream.of())
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
                on.lora(factors, adapters.sites(), adapters.rows(from, count), input.slice(from, count), ys);
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
                on.lora(factors, adapters.sites(), adapters.rows(from, count), rows, ys);
                return ys;
            };
        };
    }

    // ---- experts

    @ParameterizedTest
    @CsvSource({"8, 2", "3, 1", "4, 4", "60, 4"})
    void routesEachRowToItsBestExperts(int experts, int topK) {
        Tensor logits = samples.numbers(ROWS, experts);
        // equal ones: the first is taken
        for (int e = 0; e < experts; e++) {
            logits.set(5, e, 1);
            logits.set(6, e, e % 2);
        }
        RowGroups want = new RowGroups();
        reference.route(reference.upload(logits), topK, want);
        RowGroups mine = new RowGroups();
        mine.group(7);
        backend.route(backend.upload(logits), topK, mine);
        assertThat(entries(mine, 0, false)).isEqualTo(entries(want, 0, false)).hasSize(ROWS * topK);
        for (int e = 0; e < want.start(want.groups()); e++) {
            assertThat(mine.weight(e)).isCloseTo(want.weight(e), within(1e-6f));
        }
        List<String> all = entries(mine, 0, true);
        List<String> alone = new ArrayList<>();
        for (int row = 0; row < ROWS; row++) {
            RowGroups one = new RowGroups();
            backend.route(backend.upload(logits.slice(row, 1)), topK, one);
            alone.addAll(entries(one, row, true));
        }
        assertThat(alone).containsExactlyInAnyOrderElementsOf(all);
    }

    private static List<String> entries(RowGroups groups, int firstRow, boolean weights) {
        List<String> entries = new ArrayList<>();
        for (int g = 0; g < groups.groups(); g++) {
            for (int e = groups.start(g); e < groups.start(g + 1); e++) {
                String entry = "expert " + groups.key(g) + " row " + (firstRow + groups.row(e));
                entries.add(weights ? entry + " weight " + groups.weight(e) : entry);
            }
        }
        return entries;
    }

    @ParameterizedTest
    @MethodSource("widths")
    void gathersAndScattersTheRowsOfAGroup(int cols) {
        RowGroups groups = new RowGroups();
        groups.group(3);
        groups.add(2, -1);
        groups.group(1);
        for (int row = 0; row < ROWS; row += 1 + row % 3) {
            groups.add(row, 0.25f * (row % 5 - 1));
        }
        int entries = groups.start(2) - groups.start(1);
        Tensor x = samples.numbers(ROWS, cols);
        Function<Backend, double[][][]> both = on -> {
            Tensor gathered = blank(on, entries, cols);
            on.gather(on.upload(x), groups, 1, gathered);
            Tensor y = on.upload(Samples.magnitudes(x));
            on.scatterAdd(gathered, groups, 1, y);
            return read(on, gathered, y);
        };
        assertSameBits(both.apply(backend), both.apply(reference), 0);
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
}
