package dev.lory.kernel.cpu;

import dev.lory.kernel.LoraFactors;
import dev.lory.kernel.RowGroups;
import dev.lory.tensor.Tensor;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * Linear maps of one input, and the low-rank updates on top of them, as one section of the pool: first come chunks of outputs, then the
 * shrinks ({@code u = weight · A·x}), then, when all of these are done, chunks of outputs to which {@code B·u} is added. So an adapter costs
 * its bytes but no section of its own, and whoever is done with the base first shrinks more. The last chunks are few and wide, because
 * each is a product for every adapter; within one, an output is touched by one thread.
 */
final class LinearSection implements WorkerPool.Task, AutoCloseable {
    /** Entries of one shrink. */
    private static final int SHRINK = 24;
    /** Chunks of outputs for each thread, at most: whoever is held up leaves the rest to the others. */
    private static final int MOST_CHUNKS = 12;
    /** Bytes of a chunk for one token, at least: some µs. */
    private static final long CHUNK = 128 * 1024;
    /** As {@link #MOST_CHUNKS}, of updates. */
    private static final int MOST_UPDATES = 4;

    private final WorkerPool pool;
    private final KernelSet kernels;
    private final long[] scratch;
    private final Dense[] jobs;
    private final Quantised quantised;
    private final Scratch lowRank = new Scratch();
    /** Chunks that expanding waits for. */
    private final AtomicInteger done = new AtomicInteger();

    private int outputs;
    private boolean base;
    private int rows;
    private int cols;
    private long x;
    private @Nullable PackedWeight[] weights = new PackedWeight[4];
    private long[] ys = new long[4];
    private int[] widths = new int[4];
    private int groups;
    private long bytes;
    private int maps;
    private int expansions;

    private LoraFactors[][] factors = {};
    private @Nullable RowGroups adapters;
    /** Whether any of the adapters changes any of the outputs. */
    private boolean updates;
    /** Which do: by output and group. */
    private boolean[] changed = new boolean[64];

    private int changedGroups;

    private int shrinks;
    /** Of each shrink: output, adapter group, first and last entry. */
    private int[] shrink = new int[64];
    /** Floats from one low-rank row to the next. */
    private int stride;

    private long entryRows;
    private long entryWeights;
    private long weightsStride;
    private long low;

    LinearSection(WorkerPool pool, KernelSet kernels, long[] scratch, Quantised quantised) {
        this.pool = pool;
        this.kernels = kernels;
        this.scratch = scratch;
        this.quantised = quantised;
        jobs = new Dense[pool.threads()];
        Arrays.setAll(jobs, i -> new Dense());
    }

    /** Takes outputs {@code [rows, width]} in; their maps, if any, follow with {@link #weight}. */
    void outputs(Tensor input, Tensor[] to, int count) {
        outputs = count;
        base = false;
        rows = input.rows();
        cols = input.cols();
        x = input.storage().address();
        if (count > ys.length) {
            ys = new long[count];
            widths = new int[count];
            weights = new PackedWeight[count];
        }
        groups = 0;
        bytes = 0;
        for (int i = 0; i < count; i++) {
            ys[i] = to[i].storage().address();
            widths[i] = to[i].cols();
            groups += (to[i].cols() + 15) / 16;
        }
        adapters = null;
        updates = false;
        shrinks = 0;
    }

    /** Whether these are the operands of the section taken in last. */
    boolean isOf(Tensor input, Tensor[] to) {
        boolean same = to.length == outputs && x == input.storage().address() && rows == input.rows();
        for (int i = 0; same && i < outputs; i++) {
            same = ys[i] == to[i].storage().address();
        }
        return same;
    }

    /** Output i is this map of the input. */
    void weight(int i, PackedWeight weight) {
        weights[i] = weight;
        bytes += weight.bytes();
        base = true;
    }

    /** Adds these updates to the outputs. */
    void lora(LoraFactors[][] toFactors, int[] sites, RowGroups toAdapters) {
        factors = toFactors;
        adapters = toAdapters;
        int entries = toAdapters.start(toAdapters.groups());
        changedGroups = toAdapters.groups();
        if (changed.length < outputs * changedGroups) {
            changed = new boolean[2 * outputs * changedGroups];
        }
        stride = 16;
        for (int i = 0; i < outputs; i++) {
            for (int g = 0; g < toAdapters.groups(); g++) {
                CpuLora lora = factor(i, toAdapters.key(g));
                boolean changes = lora != null && (lora.hasGain() || hasWeight(toAdapters, g, sites[i]));
                changes(i, g, changes || factors[i][toAdapters.key(g)] instanceof CpuReplacement);
                if (lora != null && changes) {
                    stride = Math.max(stride, (lora.rank() + 15) / 16 * 16);
                    plan(i, g, toAdapters.start(g), toAdapters.start(g + 1));
                }
            }
        }
        weightsStride = (4L * entries + 63) / 64 * 64;
        entryRows = lowRank.ensure((1 + outputs) * weightsStride + 4L * stride * entries * outputs);
        entryWeights = entryRows + weightsStride;
        low = entryWeights + outputs * weightsStride;
        for (int e = 0; e < entries; e++) {
            Memory.setInt(entryRows + 4L * e, toAdapters.row(e));
        }
        for (int i = 0; i < outputs; i++) {
            for (int g = 0; g < toAdapters.groups(); g++) {
                CpuLora lora = factor(i, toAdapters.key(g));
                float scale = lora == null ? 0 : lora.scale();
                for (int e = toAdapters.start(g); e < toAdapters.start(g + 1); e++) {
                    Memory.setFloat(entryWeight(i, e), scale * toAdapters.weight(e, sites[i]));
                }
            }
        }
    }

    /** Whether any row of a group is updated at a site: X-LoRA leaves out the experts that are not among the best. */
    private static boolean hasWeight(RowGroups of, int g, int site) {
        for (int e = of.start(g); e < of.start(g + 1); e++) {
            if (of.weight(e, site) != 0) {
                return true;
            }
        }
        return false;
    }

    private void changes(int output, int group, boolean yes) {
        int at = output * changedGroups + group;
        changed[at] = yes;
        updates |= yes;
    }

    /** What the low-rank product of an entry is multiplied with at an output: the row's weight and the adapter's scale there. */
    private long entryWeight(int output, int entry) {
        return entryWeights + output * weightsStride + 4L * entry;
    }

    private @Nullable CpuLora factor(int output, int slot) {
        return factors[output][slot] instanceof CpuLora lora ? lora : null;
    }

    private void plan(int output, int group, int from, int to) {
        for (int e = from; e < to; e += SHRINK) {
            if (4 * shrinks == shrink.length) {
                shrink = Arrays.copyOf(shrink, 2 * shrink.length);
            }
            shrink[4 * shrinks] = output;
            shrink[4 * shrinks + 1] = group;
            shrink[4 * shrinks + 2] = e;
            shrink[4 * shrinks + 3] = Math.min(to, e + SHRINK);
            shrinks++;
        }
    }

    /** Computes what was taken in. */
    void run() {
        if (!base && !updates) {
            return;
        }
        done.setPlain(0);
        maps = base ? chunks(rows * bytes / (CHUNK * pool.threads()), MOST_CHUNKS) : 0;
        expansions = updates ? chunks(rows, MOST_UPDATES) : 0;
        pool.run(this, maps + shrinks + expansions);
    }

    private int chunks(long each, int most) {
        return Math.min(groups, Math.clamp(each, 1, most) * pool.threads());
    }

    @Override
    public void run(int chunk, int thread) {
        if (chunk >= maps + shrinks) {
            while (done.get() < maps + shrinks) {
                Thread.onSpinWait();
            }
            forOutputs(chunk - maps - shrinks, expansions, thread, true);
            return;
        }
        try {
            if (chunk < maps) {
                forOutputs(chunk, maps, thread, false);
            } else {
                shrink(4 * (chunk - maps), thread);
            }
        } finally {
            done.incrementAndGet();
        }
    }

    /** The outputs of one of so many chunks: their maps, or their updates. */
    private void forOutputs(int chunk, int chunks, int thread, boolean update) {
        int from = chunk * groups / chunks;
        int to = (chunk + 1) * groups / chunks;
        int first = 0;
        for (int i = 0; i < outputs; i++) {
            int count = (widths[i] + 15) / 16;
            int g0 = Math.max(0, from - first);
            int g1 = Math.min(count, to - first);
            if (g0 < g1 && update) {
                expand(i, g0, g1, thread);
            } else if (g0 < g1) {
                map(i, g0, g1, thread);
            }
            first += count;
        }
    }

    private void map(int i, int g0, int g1, int thread) {
        PackedWeight weight = weights[i];
        if (weight == null) {
            return;
        }
        if (weight.form().quantised) {
            kernels.quant(weight, quantised, ys[i], g0, g1, scratch[thread]);
        } else {
            Dense job = job(thread, x, cols, ys[i], widths[i], rows);
            kernels.dense(weight, job, g0, g1, scratch[thread]);
        }
    }

    private void shrink(int at, int thread) {
        int output = shrink[at];
        RowGroups of = adapters;
        CpuLora lora = of == null ? null : factor(output, of.key(shrink[at + 1]));
        if (of == null || lora == null) {
            return;
        }
        int from = shrink[at + 2];
        Dense job = job(thread, x, cols, lowRow(output, from), stride, shrink[at + 3] - from);
        job.xRows = entryRows + 4L * from;
        job.factor = entryWeight(output, from);
        kernels.dense(lora.a(), job, 0, lora.a().groups(), scratch[thread]);
    }

    /** Adapter after adapter in the order of the step, so that a row in several groups is summed in one order. */
    private void expand(int i, int g0, int g1, int thread) {
        RowGroups of = adapters;
        for (int g = 0; of != null && g < of.groups(); g++) {
            if (!changed[i * changedGroups + g]) {
                continue;
            }
            CpuLora lora = factor(i, of.key(g));
            if (lora != null) {
                int from = of.start(g);
                Dense job = job(thread, lowRow(i, from), stride, ys[i], widths[i], of.start(g + 1) - from);
                job.yRows = entryRows + 4L * from;
                kernels.dense(lora.b(), job, g0, g1, scratch[thread]);
                if (lora.hasGain()) {
                    multiply(i, of, g, g0, g1, lora.gain().address());
                }
            } else if (factors[i][of.key(g)] instanceof CpuReplacement replacement) {
                replace(i, of, g, g0, g1, thread, replacement.weight());
            }
        }
    }

    /** Multiplies the outputs of an adapter's rows with its gains. */
    private void multiply(int i, RowGroups of, int g, int g0, int g1, long gains) {
        int end = Math.min(16 * g1, widths[i]);
        for (int e = of.start(g); e < of.start(g + 1); e++) {
            long y = ys[i] + 4L * of.row(e) * widths[i];
            for (int out = 16 * g0; out < end; out++) {
                long at = y + 4L * out;
                Memory.setFloat(at, Memory.getFloat(at) * Memory.getFloat(gains + 4L * out));
            }
        }
    }

    /** Computes the outputs of an adapter's rows anew: a product that is added to zero. */
    private void replace(int i, RowGroups of, int g, int g0, int g1, int thread, PackedWeight weight) {
        int from = of.start(g);
        int end = Math.min(16 * g1, widths[i]);
        for (int e = from; e < of.start(g + 1); e++) {
            long y = ys[i] + 4L * of.row(e) * widths[i];
            for (int out = 16 * g0; out < end; out++) {
                Memory.setFloat(y + 4L * out, 0);
            }
        }
        Dense job = job(thread, x, cols, ys[i], widths[i], of.start(g + 1) - from);
        job.xRows = entryRows + 4L * from;
        job.yRows = entryRows + 4L * from;
        kernels.dense(weight, job, g0, g1, scratch[thread]);
    }

    private long lowRow(int output, int entry) {
        RowGroups of = adapters;
        int entries = of == null ? 0 : of.start(of.groups());
        return low + 4L * stride * ((long) output * entries + entry);
    }

    private Dense job(int thread, long from, int fromStride, long to, int toStride, int entries) {
        Dense job = jobs[thread];
        job.x = from;
        job.xRows = 0;
        job.xStride = fromStride;
        job.y = to;
        job.yRows = 0;
        job.yStride = toStride;
        job.factor = 0;
        job.entries = entries;
        return job;
    }

    @Override
    public void close() {
        lowRank.close();
    }
}
