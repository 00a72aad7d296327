package dev.lory.kernel.cpu;

import dev.lory.kernel.AttentionShape;
import dev.lory.kernel.StepBatch;
import dev.lory.tensor.Tensor;
import java.util.Arrays;

/** Attention of a step as one section of the pool; a chunk is one kv head of some rows of a sequence, the longest contexts first. */
final class AttentionSection implements WorkerPool.Task, AutoCloseable {
    private static final int ROWS_PER_CHUNK = 16;

    private final WorkerPool pool;
    private final KernelSet kernels;
    private final long[] scratch;
    private final Scratch[] scores;
    private final Scratch index = new Scratch();
    private final Attention job = new Attention();
    private int chunks;
    /** Of each chunk: kv head, first row, end row. */
    private int[] plan = new int[96];

    private long[] tables = new long[32];

    AttentionSection(WorkerPool pool, KernelSet kernels, long[] scratch) {
        this.pool = pool;
        this.kernels = kernels;
        this.scratch = scratch;
        scores = new Scratch[pool.threads()];
        Arrays.setAll(scores, i -> new Scratch());
    }

    void run(Tensor q, CpuKvCache kv, int layer, AttentionShape shape, StepBatch batch, Tensor y) {
        job.q = q.storage().address();
        job.y = y.storage().address();
        job.stride = q.cols();
        job.keys = kv.keys(layer);
        job.values = kv.values(layer);
        job.width = kv.width();
        job.blockSize = kv.blockSize();
        job.shape = shape;
        copyTables(batch);
        for (Scratch area : scores) {
            area.ensure(4L * KernelSet.ATTENTION_TILE * job.scoreStride);
        }
        chunks = 0;
        for (int s = 0; s < batch.sequences(); s++) {
            for (int end = batch.start(s + 1); end > batch.start(s); end -= ROWS_PER_CHUNK) {
                for (int head = 0; head < shape.kvHeads(); head++) {
                    add(s, head, Math.max(batch.start(s), end - ROWS_PER_CHUNK), end);
                }
            }
        }
        pool.run(this, chunks);
    }

    private void add(int sequence, int head, int row0, int row1) {
        if (chunks == tables.length) {
            plan = Arrays.copyOf(plan, 2 * plan.length);
            tables = Arrays.copyOf(tables, 2 * tables.length);
        }
        plan[3 * chunks] = head;
        plan[3 * chunks + 1] = row0;
        plan[3 * chunks + 2] = row1;
        tables[chunks++] = tableOf(sequence);
    }

    private long table;
    private int[] starts = new int[32];

    private long tableOf(int sequence) {
        return table + 4L * starts[sequence];
    }

    /** Positions, then the blocks in use of each sequence, as int32. */
    private void copyTables(StepBatch batch) {
        if (starts.length <= batch.sequences()) {
            starts = new int[2 * batch.sequences()];
        }
        int longest = 0;
        int total = 0;
        for (int s = 0; s < batch.sequences(); s++) {
            starts[s] = total;
            if (batch.start(s) < batch.start(s + 1)) {
                int last = batch.position(batch.start(s + 1) - 1);
                longest = Math.max(longest, last + 1);
                total += last / job.blockSize + 1;
            }
        }
        starts[batch.sequences()] = total;
        job.scoreStride = (longest + 47) / 16 * 16;
        job.positions = index.ensure(4L * (batch.rows() + total));
        table = job.positions + 4L * batch.rows();
        for (int r = 0; r < batch.rows(); r++) {
            Memory.setInt(job.positions + 4L * r, batch.position(r));
        }
        for (int s = 0; s < batch.sequences(); s++) {
            int[] blocks = batch.blockTable(s);
            for (int i = 0; i < starts[s + 1] - starts[s]; i++) {
                Memory.setInt(tableOf(s) + 4L * i, blocks[i]);
            }
        }
    }

    @Override
    public void run(int chunk, int thread) {
        kernels.attention(
                job,
                tables[chunk],
                plan[3 * chunk],
                plan[3 * chunk + 1],
                plan[3 * chunk + 2],
                scores[thread].ensure(0),
                scratch[thread]);
    }

    @Override
    public void close() {
        index.close();
        for (Scratch area : scores) {
            area.close();
        }
    }
}
