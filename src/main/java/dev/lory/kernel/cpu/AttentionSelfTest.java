package dev.lory.kernel.cpu;

import dev.lory.kernel.AttentionShape;
import java.util.Random;

/** One sequence of three blocks, the last not full, seen by its last rows through a window; by a kernel and by plain loops. */
final class AttentionSelfTest implements AutoCloseable {
    private static final int DIM = 32;
    private static final int BLOCK = 16;
    private static final int BLOCKS = 3;
    private static final int HEADS = 3;
    private static final int ROWS = 2;
    private static final int LAST = 2 * BLOCK + 5;
    private static final AttentionShape SHAPE = new AttentionShape(HEADS, 1, DIM, 0.3f, 0, 30);

    private final Scratch[] areas = new Scratch[7];
    private final Attention job = new Attention();
    private final Random random = new Random(5);

    AttentionSelfTest() {
        for (int i = 0; i < areas.length; i++) {
            areas[i] = new Scratch();
        }
        job.q = areas[0].ensure(4L * ROWS * HEADS * DIM);
        job.y = areas[1].ensure(4L * ROWS * HEADS * DIM);
        job.keys = areas[2].ensure(2L * BLOCKS * BLOCK * DIM);
        job.values = areas[3].ensure(2L * BLOCKS * BLOCK * DIM);
        job.positions = areas[4].ensure(4L * (ROWS + BLOCKS));
        job.stride = HEADS * DIM;
        job.width = DIM;
        job.blockSize = BLOCK;
        job.scoreStride = (BLOCKS + 2) * BLOCK;
        job.shape = SHAPE;
        fill();
    }

    private void fill() {
        for (int i = 0; i < ROWS * HEADS * DIM; i++) {
            Memory.setFloat(job.q + 4L * i, (float) random.nextGaussian());
        }
        for (int i = 0; i < BLOCKS * BLOCK * DIM; i++) {
            Memory.setShort(job.keys + 2L * i, Float.floatToFloat16((float) random.nextGaussian()));
            Memory.setShort(job.values + 2L * i, Float.floatToFloat16((float) random.nextGaussian()));
        }
        for (int row = 0; row < ROWS; row++) {
            Memory.setInt(job.positions + 4L * row, LAST + 1 - ROWS + row);
        }
        for (int i = 0; i < BLOCKS; i++) {
            Memory.setInt(table() + 4L * i, BLOCKS - 1 - i); // not in order
        }
    }

    private long table() {
        return job.positions + 4L * ROWS;
    }

    /** The largest difference, relative to the largest result. */
    double error(KernelSet kernels) {
        long scores = areas[5].ensure(4L * KernelSet.ATTENTION_TILE * job.scoreStride);
        kernels.attention(job, table(), 0, 0, ROWS, scores, areas[6].ensure(VectorKernels.SCRATCH));
        double largest = 0;
        double difference = 0;
        for (int row = 0; row < ROWS; row++) {
            for (int head = 0; head < HEADS; head++) {
                double[] wanted = plain(row, head);
                for (int d = 0; d < DIM; d++) {
                    double off = Math.abs(wanted[d] - Memory.getFloat(job.y + at(row, head, d)));
                    largest = Math.max(largest, Math.abs(wanted[d]));
                    difference = Double.isNaN(off) ? off : Math.max(difference, off);
                }
            }
        }
        return difference / largest;
    }

    private double[] plain(int row, int head) {
        int context = Memory.getInt(job.positions + 4L * row) + 1;
        double[] out = new double[DIM];
        double total = 0;
        for (int p = job.windowStart(context); p < context; p++) {
            double score = 0;
            for (int d = 0; d < DIM; d++) {
                score += Memory.getFloat(job.q + at(row, head, d))
                        * half(job.keys, (block(p) * DIM + d) * BLOCK + p % BLOCK);
            }
            double weight = Math.exp(score * SHAPE.scale());
            total += weight;
            for (int d = 0; d < DIM; d++) {
                out[d] += weight * half(job.values, (block(p) * BLOCK + p % BLOCK) * DIM + d);
            }
        }
        for (int d = 0; d < DIM; d++) {
            out[d] /= total;
        }
        return out;
    }

    private static long at(int row, int head, int d) {
        return 4L * ((row * HEADS + head) * DIM + d);
    }

    private int block(int position) {
        return Memory.getInt(table() + 4L * (position / BLOCK));
    }

    private static double half(long address, int index) {
        return Memory.getHalf(address + 2L * index);
    }

    @Override
    public void close() {
        for (Scratch area : areas) {
            area.close();
        }
    }
}
