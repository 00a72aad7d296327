package dev.lory.kernel.cpu;

import dev.lory.kernel.RowGroups;
import dev.lory.kernel.StepBatch;
import org.jspecify.annotations.Nullable;

/** An operation on each row of a step by itself: on the caller for a few rows, spread over the pool for many. */
final class RowSection implements WorkerPool.Task {
    private static final int ROWS_PER_CHUNK = 8;

    /** What is done with row r of the operands below. */
    private enum Op {
        RMS_NORM,
        LAYER_NORM,
        CURVE,
        GATE,
        ADD,
        ADD_ROW,
        SCALE,
        SCATTER_ADD,
        ROPE,
        STORE_KV,
        EMBED,
        QUANTISE
    }

    private final WorkerPool pool;
    private final long[] scratch;
    private Op op = Op.ADD;
    private long x;
    private long w;
    private long y;
    private int rows;
    private int cols;
    /** The bias of a norm. */
    private long bias;
    /** Eps, factor or cap. */
    private float number;

    private VectorCurve curve = VectorCurve.SILU;
    private int headDim;
    private int half;
    private int layer;
    private @Nullable StepBatch batch;
    private @Nullable CpuKvCache kv;
    private @Nullable PackedWeight table;
    private @Nullable Quantised quantised;
    private @Nullable RowGroups groups;
    /** Of the group. */
    private int firstEntry;

    RowSection(WorkerPool pool, long[] scratch) {
        this.pool = pool;
        this.scratch = scratch;
    }

    void rmsNorm(long from, long weight, float eps, long to, int count, int width) {
        number = eps;
        run(Op.RMS_NORM, from, weight, to, count, width);
    }

    void layerNorm(long from, long weight, long plus, float eps, long to, int count, int width) {
        bias = plus;
        number = eps;
        run(Op.LAYER_NORM, from, weight, to, count, width);
    }

    void curve(VectorCurve which, float cap, long from, long to, int count, int width) {
        curve = which;
        number = cap;
        run(Op.CURVE, from, 0, to, count, width);
    }

    void gate(VectorCurve which, long gate, long up, long to, int count, int width) {
        curve = which;
        run(Op.GATE, gate, up, to, count, width);
    }

    void add(long from, long to, int count, int width) {
        run(Op.ADD, from, 0, to, count, width);
    }

    void addRow(long row, long to, int count, int width) {
        run(Op.ADD_ROW, row, 0, to, count, width);
    }

    void scale(float factor, long inOut, int count, int width) {
        number = factor;
        run(Op.SCALE, 0, 0, inOut, count, width);
    }

    void scatterAdd(long from, RowGroups of, int group, long to, int width) {
        groups = of;
        firstEntry = of.start(group);
        run(Op.SCATTER_ADD, from, 0, to, of.start(group + 1) - firstEntry, width);
    }

    void rope(long inOut, int dim, long cos, long sin, int rotated, StepBatch step, int width) {
        headDim = dim;
        half = rotated;
        batch = step;
        run(Op.ROPE, cos, sin, inOut, step.rows(), width);
    }

    void storeKv(long keys, long values, CpuKvCache cache, int ofLayer, StepBatch step) {
        kv = cache;
        layer = ofLayer;
        batch = step;
        run(Op.STORE_KV, keys, values, 0, step.rows(), cache.width());
    }

    void embed(PackedWeight from, StepBatch step, long to) {
        table = from;
        batch = step;
        run(Op.EMBED, 0, 0, to, step.rows(), from.cols());
    }

    void quantise(long from, Quantised to) {
        quantised = to;
        run(Op.QUANTISE, from, 0, 0, to.rows, to.cols);
    }

    private void run(Op what, long first, long second, long third, int count, int width) {
        op = what;
        x = first;
        w = second;
        y = third;
        rows = count;
        cols = width;
        if (count <= ROWS_PER_CHUNK) {
            run(0, 0);
        } else {
            pool.run(this, (count + ROWS_PER_CHUNK - 1) / ROWS_PER_CHUNK);
        }
    }

    @Override
    public void run(int chunk, int thread) {
        int end = Math.min(rows, (chunk + 1) * ROWS_PER_CHUNK);
        for (int r = chunk * ROWS_PER_CHUNK; r < end; r++) {
            row(r, scratch[thread]);
        }
    }

    private void row(int r, long spare) {
        long at = 4L * r * cols;
        switch (op) {
            case RMS_NORM -> VectorRows.rmsNorm(x + at, w, number, y + at, cols, spare);
            case LAYER_NORM -> VectorRows.layerNorm(x + at, w, bias, number, y + at, cols, spare);
            case CURVE -> curve.apply(number, x + at, y + at, cols, spare);
            case GATE -> {
                curve.apply(0, x + at, y + at, cols, spare);
                VectorRows.multiply(w + at, y + at, cols);
            }
            case ADD -> VectorRows.add(x + at, y + at, cols);
            case ADD_ROW -> VectorRows.add(x, y + at, cols);
            case SCALE -> VectorRows.scale(number, y + at, cols);
            case SCATTER_ADD -> scatterAdd(r, x + at);
            case ROPE -> rope(r, y + at);
            case STORE_KV -> storeKv(r, at);
            case EMBED -> embed(r, at);
            case QUANTISE -> {
                if (quantised != null) {
                    VectorRows.quantise(quantised, x, r);
                }
            }
        }
    }

    private void scatterAdd(int r, long row) {
        if (groups != null) {
            int entry = firstEntry + r;
            VectorRows.addScaled(groups.weight(entry), row, y + 4L * groups.row(entry) * cols, cols);
        }
    }

    private void rope(int r, long row) {
        if (batch != null) {
            long angle = 4L * batch.angle(r) * half;
            VectorRows.rope(row, cols, headDim, x + angle, w + angle, half);
        }
    }

    private void storeKv(int r, long at) {
        if (batch != null && kv != null) {
            int slot = batch.slot(r);
            VectorRows.storeHalves(x + at, cols, kv.key(layer, slot), 32);
            VectorRows.storeHalves(w + at, cols, kv.value(layer, slot), 2);
        }
    }

    private void embed(int r, long at) {
        if (batch != null && table != null) {
            table.decode(batch.token(r), y + at);
        }
    }
}
