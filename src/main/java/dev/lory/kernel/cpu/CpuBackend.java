package dev.lory.kernel.cpu;

import dev.lory.error.ErrorCode;
import dev.lory.error.ServiceException;
import dev.lory.kernel.Activation;
import dev.lory.kernel.AttentionShape;
import dev.lory.kernel.Backend;
import dev.lory.kernel.KvCache;
import dev.lory.kernel.LoraFactors;
import dev.lory.kernel.Peak;
import dev.lory.kernel.RowGroups;
import dev.lory.kernel.StepBatch;
import dev.lory.kernel.Weight;
import dev.lory.tensor.DType;
import dev.lory.tensor.Layouts;
import dev.lory.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;

/**
 * The CPU: int8 products for quantised weights (activations are quantised per 32 columns), F32 for the others, keys and values in F16.
 * A {@link #project} waits for the operation behind it: if that is the {@link #lora} of the same outputs, both run as one section.
 */
public final class CpuBackend implements Backend {
    private static final String MODULE = "jdk.incubator.vector";

    private final Arena arena = Arena.ofShared();
    private final WeightMemory weightMemory = new WeightMemory();
    /** Filled by any thread that loads. */
    private final Queue<Memory.Area> areas = new ConcurrentLinkedQueue<>();

    private final Scratch threadScratch = new Scratch();
    private final KernelSet kernels;
    private final String reason;
    private final WorkerPool pool;
    private final Quantised quantised;
    private final RowSection rowSection;
    private final LinearSection linear;
    private final AttentionSection attention;
    private final Routing routing = new Routing();
    private final EmbeddingLora embeddingLora = new EmbeddingLora();
    private boolean pending;

    /** Kernels, and for the log why these if they are not native. */
    record Chosen(KernelSet kernels, String reason) {}

    /**
     * @param threads at least 1, the calling one included
     * @throws ServiceException {@code UNAVAILABLE} without the vector module, or without native kernels where they are demanded
     */
    public CpuBackend(int threads, Kernels choice) {
        this(threads, choose(choice));
    }

    CpuBackend(int threads, Chosen chosen) {
        if (threads < 1) {
            throw new ServiceException(ErrorCode.INVALID_CONFIGURATION, "threads must be at least 1 but is " + threads);
        }
        kernels = chosen.kernels;
        reason = chosen.reason;
        pool = new WorkerPool(threads);
        quantised = new Quantised(kernels instanceof VectorKernels);
        long[] scratch = new long[threads];
        long first = threadScratch.ensure(threads * VectorKernels.SCRATCH);
        Arrays.setAll(scratch, i -> first + i * VectorKernels.SCRATCH);
        rowSection = new RowSection(pool, scratch);
        linear = new LinearSection(pool, kernels, scratch, quantised);
        attention = new AttentionSection(pool, kernels, scratch);
    }

    private static Chosen choose(Kernels choice) {
        if (ModuleLayer.boot().findModule(MODULE).isEmpty()) {
            throw new ServiceException(
                    ErrorCode.UNAVAILABLE, "the CPU backend needs the Java option --add-modules=" + MODULE);
        }
        if (choice == Kernels.VECTOR) {
            return new Chosen(VectorKernels.ofThisMachine(), ", as configured");
        }
        NativeLibrary.Found found = NativeLibrary.found();
        if (!found.kernels().isEmpty()) {
            return new Chosen(found.kernels().getFirst(), "");
        }
        if (choice == Kernels.NATIVE) {
            throw new ServiceException(ErrorCode.UNAVAILABLE, "no native kernels: " + found.reason());
        }
        return new Chosen(VectorKernels.ofThisMachine(), ", no native kernels: " + found.reason());
    }

    @Override
    public String description() {
        return "cpu, " + kernels.name() + " kernels" + reason + ", " + pool.threads()
                + (pool.threads() == 1 ? " thread" : " threads");
    }

    @Override
    public long freeBytes() {
        return MachineMemory.free();
    }

    @Override
    public Peak peak() {
        try (PeakSection section = new PeakSection(pool, kernels)) {
            return section.measure();
        }
    }

    @Override
    public long weightBytes(DType dtype, int rows, int cols) {
        return PackedWeight.bytes(dtype, rows, cols);
    }

    @Override
    public long kvBlockBytes(int layers, int blockSize, int width) {
        return CpuKvCache.blockBytes(layers, blockSize, width);
    }

    @Override
    public Weight load(Tensor weight) {
        PackedWeight packed = PackedWeight.of(weight, weightMemory);
        areas.add(packed.area());
        return packed;
    }

    @Override
    public LoraFactors loadLora(Tensor a, Tensor b, float scale) {
        requirePlain(a);
        requirePlain(b);
        return new CpuLora(PackedWeight.of(a, weightMemory), PackedWeight.of(b, weightMemory), scale, CpuLora.PLAIN);
    }

    @Override
    public LoraFactors loadDora(Tensor a, Tensor b, float scale, Tensor gain) {
        requirePlain(a);
        requirePlain(b);
        Memory.Area gains = Memory.allocate(4L * gain.cols());
        for (int i = 0; i < gain.cols(); i++) {
            Memory.setFloat(gains.address() + 4L * i, gain.get(0, i));
        }
        return new CpuLora(PackedWeight.of(a, weightMemory), PackedWeight.of(b, weightMemory), scale, gains);
    }

    @Override
    public LoraFactors loadReplacement(Tensor weight) {
        requirePlain(weight);
        return new CpuReplacement(PackedWeight.of(weight, weightMemory));
    }

    private static void requirePlain(Tensor factor) {
        if (factor.dtype().blockLength() != 1) {
            throw new ServiceException(
                    ErrorCode.UNSUPPORTED_DTYPE,
                    "an adapter's tensor must be F32, F16 or BF16 but is " + factor.dtype());
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
    public void embedLora(LoraFactors[] factors, int site, StepBatch batch, Tensor y) {
        flush();
        embeddingLora.add(factors, site, batch, address(y), y.cols());
    }

    @Override
    public void decodeRow(Weight weight, int row, float[] out) {
        try (Arena temporary = Arena.ofConfined()) {
            MemorySegment floats = temporary.allocate(4L * weight.cols(), 64);
            ((PackedWeight) weight).decode(row, floats.address());
            MemorySegment.copy(floats, Layouts.FLOAT, 0, out, 0, weight.cols());
        }
    }

    @Override
    public void gatherRows(Tensor x, int[] rows, Tensor y) {
        flush();
        for (int i = 0; i < y.rows(); i++) {
            copyRow(x, rows[i], y, i);
        }
    }

    private static void copyRow(Tensor x, int from, Tensor y, int to) {
        MemorySegment.copy(x.storage(), from * x.rowBytes(), y.storage(), to * y.rowBytes(), y.rowBytes());
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
    public void lora(LoraFactors[][] factors, int[] sites, RowGroups rows, Tensor x, Tensor[] ys) {
        if (rows.isEmpty()) {
            return;
        }
        if (!pending || !linear.isOf(x, ys)) {
            flush();
            linear.outputs(x, ys, ys.length);
        }
        linear.lora(factors, sites, rows);
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
        rowSection.gate(VectorCurve.of(activation), address(gate), address(up), address(y), y.rows(), y.cols());
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
        flush();
        rowSection.layerNorm(address(x), address(weight), address(bias), eps, address(y), x.rows(), x.cols());
    }

    @Override
    public void activate(Activation activation, Tensor x, Tensor y) {
        flush();
        rowSection.curve(VectorCurve.of(activation), 0, address(x), address(y), y.rows(), y.cols());
    }

    @Override
    public void addRow(Tensor row, Tensor y) {
        flush();
        rowSection.addRow(address(row), address(y), y.rows(), y.cols());
    }

    @Override
    public void scale(float factor, Tensor y) {
        flush();
        rowSection.scale(factor, address(y), y.rows(), y.cols());
    }

    @Override
    public void softCap(float cap, Tensor y) {
        flush();
        rowSection.curve(VectorCurve.SOFT_CAP, cap, address(y), address(y), y.rows(), y.cols());
    }

    @Override
    public void route(Tensor logits, int topK, RowGroups groups) {
        flush();
        routing.route(address(logits), logits.rows(), logits.cols(), topK, groups);
    }

    @Override
    public void gather(Tensor x, RowGroups groups, int g, Tensor y) {
        flush();
        int first = groups.start(g);
        for (int i = 0; i < y.rows(); i++) {
            copyRow(x, groups.row(first + i), y, i);
        }
    }

    @Override
    public void scatterAdd(Tensor x, RowGroups groups, int g, Tensor y) {
        flush();
        rowSection.scatterAdd(address(x), groups, g, address(y), y.cols());
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
        embeddingLora.close();
        quantised.close();
        threadScratch.close();
        areas.forEach(Memory.Area::free);
        areas.clear();
        arena.close();
    }
}
