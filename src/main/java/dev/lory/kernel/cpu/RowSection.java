package dev.lory.kernel.cpu;

import dev.lory.kernel.StepBatch;
import org.jspecify.annotations.Nullable;

/** An operation on each row of a step by itself: on the caller for a few rows, spread over the pool for many. */
final class RowSection implements WorkerPool.Task {
    private static final int ROWS_PER_CHUNK = 8;

    /** What is done with row r of the operands below. */
    private enum Op {
        NORM,
        ADD,
        SILU,
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
    private float eps;
    private int headDim;
    private int half;
    private int layer;
    private @Nullable StepBatch batch;
    private @Nullable CpuKvCache kv;
    private @Nullable PackedWeight table;
    private @Nullable Quantised quantised;

    RowSection(WorkerPool pool, long[] scratch) {
        this.pool = pool;
        this.scratch = scratch;
    }

    void rmsNorm(long from, long weight, float epsilon, long to, int count, int width) {
        eps = epsilon;
        run(Op.NORM, from, weight, to, count, width);
    }

    void add(long from, long to, int count, int width) {
        run(Op.ADD, from, 0, to, count, width);
    }

    void silu(long gate, long up, long to, int count, int width) {
        run(Op.SILU, gate, up, to, count, width);
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
            case NORM -> Elementwise.rmsNorm(x + at, w, eps, y + at, cols, spare);
            case ADD -> Elementwise.add(x + at, y + at, cols);
            case SILU -> Elementwise.silu(x + at, w + at, y + at, cols, spare);
            case ROPE -> rope(r, y + at);
            case STORE_KV -> storeKv(r, at);
            case EMBED -> embed(r, at);
            case QUANTISE -> {
                if (quantised != null) {
                    Elementwise.quantise(quantised, x, r);
                }
            }
        }
    }

    private void rope(int r, long row) {
        if (batch != null) {
            long angle = 4L * batch.angle(r) * half;
            Elementwise.rope(row, cols, headDim, x + angle, w + angle, half);
        }
    }

    private void storeKv(int r, long at) {
        if (batch != null && kv != null) {
            int slot = batch.slot(r);
            Elementwise.storeHalves(x + at, cols, kv.key(layer, slot), 32);
            Elementwise.storeHalves(w + at, cols, kv.value(layer, slot), 2);
        }
    }

    private void embed(int r, long at) {
        if (batch != null && table != null) {
            table.decode(batch.token(r), y + at);
        }
    }
}
