package dev.lory.kernel.cpu;

import dev.lory.error.ErrorCode;
import dev.lory.error.ServiceException;
import dev.lory.kernel.Activation;
import dev.lory.kernel.AttentionShape;
import dev.lory.kernel.Backend;
import dev.lory.kernel.KvCache;
import dev.lory.kernel.LoraFactors;
import dev.lory.kernel.RowGroups;
import dev.lory.kernel.StepBatch;
import dev.lory.kernel.Weight;
import dev.lory.tensor.DType;
import dev.lory.tensor.Layouts;
import dev.lory.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The CPU: int8 products for quantised weights (activations are quantised per 32 columns), F32 for the others, keys and values in F16.
 * A {@link #project} waits for the operation behind it: if that is the {@link #lora} of the same outputs, both run as one section.
 */
public final class CpuBackend implements Backend {
    private static final String MODULE = "jdk.incubator.vector";

    private final Arena arena = Arena.ofShared();
    private final List<Memory.Area> areas = new ArrayList<>();
    private final Scratch threadScratch = new Scratch();
    private final KernelSet kernels;
    private final String reason;
    private final WorkerPool pool;
    private final Quantised quantised;
    private final RowSection rowSection;
    private final LinearSection linear;
    private final AttentionSection attention;
    private boolean pending;

    /**
     * @param threads at least 1, the calling one included
     * @throws ServiceException {@code UNAVAILABLE} without the vector module, or without native kernels where they are demanded
     */
    public CpuBackend(int threads, Kernels choice) {
        if (ModuleLayer.boot().findModule(MODULE).isEmpty()) {
            throw new ServiceException(
                    ErrorCode.UNAVAILABLE, "the CPU backend needs the Java option --add-modules=" + MODULE);
        }
        if (threads < 1) {
            throw new ServiceException(ErrorCode.INVALID_CONFIGURATION, "threads must be at least 1 but is " + threads);
        }
        NativeLibrary.Found found = switch (choice) {
            case AUTO, NATIVE -> NativeLibrary.found();
            case VECTOR -> new NativeLibrary.Found(List.of(), "as configured");
        };
        if (choice == Kernels.NATIVE && found.kernels().isEmpty()) {
            throw new ServiceException(ErrorCode.UNAVAILABLE, "no native kernels: " + found.reason());
        }
        boolean vectors = found.kernels().isEmpty();
        kernels = vectors ? VectorKernels.ofThisMachine() : found.kernels().getFirst();
        reason =
                !vectors ? "" : choice == Kernels.VECTOR ? ", as configured" : ", no native kernels: " + found.reason();
        pool = new WorkerPool(threads);
        quantised = new Quantised(vectors);
        long[] scratch = new long[threads];
        long first = threadScratch.ensure(threads * VectorKernels.SCRATCH);
        Arrays.setAll(scratch, i -> first + i * VectorKernels.SCRATCH);
        rowSection = new RowSection(pool, scratch);
        linear = new LinearSection(pool, kernels, scratch, quantised);
        attention = new AttentionSection(pool, kernels, scratch);
    }

    @Override
    public String description() {
        return "cpu, " + kernels.name() + " kernels" + reason + ", " + pool.threads()
                + (pool.threads() == 1 ? " thread" : " threads");
    }

    @Override
    public Weight load(Tensor weight) {
        PackedWeight packed = PackedWeight.of(weight);
        areas.add(packed.area());
        return packed;
    }

    @Override
    public LoraFactors loadLora(Tensor a, Tensor b, float scale) {
        requirePlain(a);
        requirePlain(b);
        return new CpuLora(PackedWeight.of(a), PackedWeight.of(b), scale);
    }

    private static void requirePlain(Tensor factor) {
        if (factor.dtype().blockLength() != 1) {
            throw new ServiceException(
                    ErrorCode.UNSUPPORTED_DTYPE, "a low-rank factor must be F32, F16 or BF16 but is " + factor.dtype());
        }
    }

    @Override
    public Tensor upload(Tensor host) {
        Tensor copy = allocate(host.rows(), host.cols());
        float[] row = new float[host.cols()];
        for (int r = 0; r < host.rows(); r++) {
            host.decodeRow(r, row);
            MemorySegment.copy(row, 0, copy.storage(), Layouts.FLOAT, r * copy.rowBytes(), row.length);
        }
        return copy;
    }

    @Override
    public Tensor allocate(int rows, int cols) {
        return Tensor.allocate(arena, DType.F32, rows, cols);
    }

    @Override
    public KvCache allocateKv(int layers, int blocks, int blockSize, int width) {
        CpuKvCache cache = CpuKvCache.of(layers, blocks, blockSize, width);
        areas.add(cache.area());
        return cache;
    }

    @Override
    public void embed(Weight table, StepBatch batch, Tensor y) {
        flush();
        rowSection.embed((PackedWeight) table, batch, address(y));
    }

    @Override
    public void gatherRows(Tensor x, int[] rows, Tensor y) {
        flush();
        for (int i = 0; i < y.rows(); i++) {
            MemorySegment.copy(x.storage(), rows[i] * x.rowBytes(), y.storage(), i * y.rowBytes(), y.rowBytes());
        }
    }

    @Override
    public void rmsNorm(Tensor x, Tensor weight, float eps, Tensor y) {
        flush();
        rowSection.rmsNorm(address(x), address(weight), eps, address(y), x.rows(), x.cols());
    }

    @Override
    public void project(Weight[] weights, Tensor x, Tensor[] ys) {
        flush();
        linear.outputs(x, ys, weights.length);
        boolean quants = false;
        for (int i = 0; i < weights.length; i++) {
            PackedWeight weight = (PackedWeight) weights[i];
            linear.weight(i, weight);
            quants |= weight.form().quantised;
        }
        if (quants) {
            quantised.shape(x.rows(), x.cols());
            rowSection.quantise(address(x), quantised);
        }
        pending = true;
    }

    @Override
    public void lora(LoraFactors[][] factors, RowGroups rows, Tensor x, Tensor[] ys) {
        if (rows.isEmpty()) {
            return;
        }
        if (!pending || !linear.isOf(x, ys)) {
            flush();
            linear.outputs(x, ys, ys.length);
        }
        linear.lora(factors, rows);
        pending = true;
        flush();
    }

    private void flush() {
        if (pending) {
            pending = false;
            linear.run();
        }
    }

    @Override
    public void rope(Tensor x, int headDim, Tensor cos, Tensor sin, StepBatch batch) {
        flush();
        rowSection.rope(address(x), headDim, address(cos), address(sin), cos.cols(), batch, x.cols());
    }

    @Override
    public void storeKv(Tensor k, Tensor v, KvCache kv, int layer, StepBatch batch) {
        flush();
        rowSection.storeKv(address(k), address(v), (CpuKvCache) kv, layer, batch);
    }

    @Override
    public void attention(Tensor q, KvCache kv, int layer, AttentionShape shape, StepBatch batch, Tensor y) {
        flush();
        attention.run(q, (CpuKvCache) kv, layer, shape, batch, y);
    }

    @Override
    public void gate(Activation activation, Tensor gate, Tensor up, Tensor y) {
        flush();
        switch (activation) {
            case SILU -> rowSection.silu(address(gate), address(up), address(y), y.rows(), y.cols());
            case GELU, GELU_TANH -> throw new UnsupportedOperationException();
        }
    }

    @Override
    public void clear(Tensor y) {
        flush();
        y.storage().fill((byte) 0);
    }

    @Override
    public void add(Tensor x, Tensor y) {
        flush();
        rowSection.add(address(x), address(y), y.rows(), y.cols());
    }

    @Override
    public void layerNorm(Tensor x, Tensor weight, Tensor bias, float eps, Tensor y) {
        throw new UnsupportedOperationException();
    }

    @Override
    public void activate(Activation activation, Tensor x, Tensor y) {
        throw new UnsupportedOperationException();
    }

    @Override
    public void addRow(Tensor row, Tensor y) {
        throw new UnsupportedOperationException();
    }

    @Override
    public void scale(float factor, Tensor y) {
        throw new UnsupportedOperationException();
    }

    @Override
    public void softCap(float cap, Tensor y) {
        throw new UnsupportedOperationException();
    }

    @Override
    public void route(Tensor logits, int topK, RowGroups groups) {
        throw new UnsupportedOperationException();
    }

    @Override
    public void gather(Tensor x, RowGroups groups, int g, Tensor y) {
        throw new UnsupportedOperationException();
    }

    @Override
    public void scatterAdd(Tensor x, RowGroups groups, int g, Tensor y) {
        throw new UnsupportedOperationException();
    }

    @Override
    public void write(float[] values, Tensor y, int row) {
        flush();
        MemorySegment.copy(values, 0, y.storage(), Layouts.FLOAT, row * y.rowBytes(), y.cols());
    }

    @Override
    public void download(Tensor x, int row, float[] out) {
        flush();
        MemorySegment.copy(x.storage(), Layouts.FLOAT, row * x.rowBytes(), out, 0, x.cols());
    }

    private static long address(Tensor tensor) {
        return tensor.storage().address();
    }

    /** The threads other than the caller's. */
    Thread[] daemons() {
        return pool.daemons();
    }

    @Override
    public void close() {
        pool.close();
        attention.close();
        linear.close();
        quantised.close();
        threadScratch.close();
        areas.forEach(Memory.Area::free);
        areas.clear();
        arena.close();
    }
}
