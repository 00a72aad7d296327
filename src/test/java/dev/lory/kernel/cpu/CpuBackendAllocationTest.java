package dev.lory.kernel.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import com.sun.management.ThreadMXBean;
import dev.lory.kernel.Activation;
import dev.lory.kernel.AttentionShape;
import dev.lory.kernel.KvCache;
import dev.lory.kernel.LoraFactors;
import dev.lory.kernel.RowGroups;
import dev.lory.kernel.Samples;
import dev.lory.kernel.StepBatch;
import dev.lory.kernel.Weight;
import dev.lory.tensor.DType;
import dev.lory.tensor.Tensor;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Once sized, no operation allocates on the heap: neither on the thread that calls nor on those of the pool. */
@ParameterizedClass(name = "{0}")
@MethodSource("kernels")
final class CpuBackendAllocationTest {
    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    private static final Duration PATIENCE = Duration.ofSeconds(15);
    private static final int CALLS = 200;
    private static final int HIDDEN = 96;
    private static final int HEAD = 32;
    private static final int BLOCK = 16;
    private static final AttentionShape SHAPE = new AttentionShape(3, 1, HEAD, 0.2f, 50, 12);

    private final Samples samples = new Samples(1);
    private final CpuBackend backend;
    private final Thread[] daemons;

    CpuBackendAllocationTest(KernelSet kernels) {
        backend = new CpuBackend(2, new CpuBackend.Chosen(kernels, ""));
        daemons = backend.daemons();
    }

    static Stream<KernelSet> kernels() {
        return CpuBackendTest.kernelSets();
    }

    @AfterEach
    void close() {
        backend.close();
    }

    @ParameterizedTest(name = "{0}, {1} rows")
    @MethodSource("products")
    void projectsWithAdaptersWithoutAllocating(DType dtype, int rows) {
        int in = Math.max(HIDDEN, dtype.blockLength());
        Weight[] weights = {backend.load(samples.weight(dtype, HIDDEN, in)), backend.load(samples.weight(dtype, 40, in))
        };
        LoraFactors[][] factors = new LoraFactors[2][1];
        for (int i = 0; i < 2; i++) {
            Tensor a = samples.weight(DType.F16, 8, in);
            Tensor b = samples.weight(DType.F16, weights[i].rows(), 8);
            factors[i][0] = backend.loadLora(a, b, 2);
        }
        Tensor x = backend.upload(samples.numbers(rows, in));
        Tensor[] ys = {backend.allocate(rows, HIDDEN), backend.allocate(rows, 40)};
        float[] out = new float[HIDDEN];
        int[] sites = {0, 1};
        StepBatch batch = batch(rows);
        assertAllocatesNothing(() -> {
            backend.project(weights, x, ys);
            backend.lora(factors, sites, batch.adapters(), x, ys);
            backend.project(weights, x, ys);
            backend.download(ys[0], 0, out);
        });
    }

    static Stream<Arguments> products() {
        return Arrays.stream(Form.values())
                .map(Form::stored)
                .flatMap(dtype -> Stream.of(arguments(dtype, 1), arguments(dtype, 20)));
    }

    @ParameterizedTest(name = "{0} rows")
    @ValueSource(ints = {1, 20})
    void attendsWithoutAllocating(int rows) {
        KvCache kv = backend.allocateKv(1, 4, BLOCK, HEAD);
        Tensor cos = backend.upload(samples.numbers(rows, HEAD / 2));
        Tensor q = backend.upload(samples.numbers(rows, HIDDEN));
        Tensor k = backend.upload(samples.numbers(rows, HEAD));
        Tensor y = backend.allocate(rows, HIDDEN);
        StepBatch batch = batch(rows);
        assertAllocatesNothing(() -> {
            backend.rope(q, HEAD, cos, cos, batch);
            backend.storeKv(k, k, kv, 0, batch);
            backend.attention(q, kv, 0, SHAPE, batch, y);
        });
    }

    /** What is done row by row. */
    private enum RowOperation {
        EMBED,
        GATHER_ROWS,
        RMS_NORM,
        LAYER_NORM,
        ADD,
        ADD_ROW,
        SCALE,
        SILU,
        GELU,
        GELU_TANH,
        GATE_GELU_TANH,
        SOFT_CAP,
        ROUTE,
        GATHER_AND_SCATTER
    }

    @ParameterizedTest
    @EnumSource
    void worksOnRowsWithoutAllocating(RowOperation operation) {
        int rows = 20;
        Weight table = backend.load(samples.weight(DType.Q4_1, rows, HIDDEN));
        Tensor x = backend.upload(samples.numbers(rows, HIDDEN));
        Tensor y = backend.upload(samples.numbers(rows, HIDDEN));
        StepBatch batch = batch(rows);
        RowGroups groups = new RowGroups();
        int[] order = samples.shuffled(rows);
        assertAllocatesNothing(() -> {
            switch (operation) {
                case EMBED -> backend.embed(table, batch, y);
                case GATHER_ROWS -> backend.gatherRows(x, order, y);
                case RMS_NORM -> backend.rmsNorm(x, x, 1e-5f, y);
                case ADD -> backend.add(x, y);
                case LAYER_NORM -> backend.layerNorm(x, x, x, 1e-5f, y);
                case ADD_ROW -> backend.addRow(x, y);
                case SCALE -> backend.scale(1, y);
                case SILU -> backend.activate(Activation.SILU, x, y);
                case GELU -> backend.activate(Activation.GELU, x, y);
                case GELU_TANH -> backend.activate(Activation.GELU_TANH, x, y);
                case GATE_GELU_TANH -> backend.gate(Activation.GELU_TANH, x, x, y);
                case SOFT_CAP -> backend.softCap(50, y);
                case ROUTE -> backend.route(x, 2, groups);
                case GATHER_AND_SCATTER -> {
                    backend.gather(x, batch.adapters(), 0, y);
                    backend.scatterAdd(x, batch.adapters(), 0, y);
                }
            }
        });
    }

    private static StepBatch batch(int rows) {
        StepBatch batch = new StepBatch(rows);
        batch.sequence(new int[] {2, 0, 3, 1}, 0);
        batch.adapters().group(0);
        for (int row = 0; row < rows; row++) {
            batch.add(row, row, batch.blockTable(0)[row / BLOCK] * BLOCK + row % BLOCK);
            batch.adapters().add(row, 1);
        }
        return batch;
    }

    /** Until its code is compiled the Vector API allocates, so that this is about some time from now on. */
    private void assertAllocatesNothing(Runnable step) {
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        long bytes = Long.MAX_VALUE;
        long called = 0;
        while (bytes > 0 && System.nanoTime() < deadline) {
            bytes = allocated(step);
            called += CALLS;
        }
        assertThat(bytes)
                .as("bytes allocated by %d calls after %d", CALLS, called)
                .isZero();
    }

    private long allocated(Runnable step) {
        long before = allocated();
        for (int i = 0; i < CALLS; i++) {
            step.run();
        }
        return allocated() - before;
    }

    private long allocated() {
        long bytes = THREADS.getCurrentThreadAllocatedBytes();
        for (Thread daemon : daemons) {
            bytes += THREADS.getThreadAllocatedBytes(daemon.threadId());
        }
        return bytes;
    }
}
