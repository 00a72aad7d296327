package dev.lory.kernel.cpu;

import dev.lory.kernel.Peak;
import java.util.Arrays;

/** Measures a {@link Peak} on all threads of the pool: the best of some rounds, because what else runs here only takes away. */
final class PeakSection implements WorkerPool.Task, AutoCloseable {
    /** More than the caches of a socket hold. */
    private static final long MEMORY = 512L << 20;

    private static final long CHUNK = 1L << 20;
    private static final int ROUNDS = 8;
    /** Some milliseconds. */
    private static final int PRODUCTS = 1_000_000;

    private final WorkerPool pool;
    private final KernelSet kernels;
    private final Memory.Area memory;
    private final Scratch rooms = new Scratch();
    private final long room;
    private final long[] products;
    private boolean reading;

    PeakSection(WorkerPool pool, KernelSet kernels) {
        this.pool = pool;
        this.kernels = kernels;
        memory = new WeightMemory().allocate(MEMORY);
        room = rooms.ensure(64L * pool.threads());
        products = new long[pool.threads()];
    }

    Peak measure() {
        for (long at = 0; at < MEMORY; at += 4096) {
            Memory.setFloat(memory.address() + at, 0); // a page that was never written is not in memory
        }
        double bytes = 0;
        double multiplied = 0;
        for (int round = 0; round < ROUNDS; round++) {
            bytes = Math.max(bytes, MEMORY / seconds(true, (int) (MEMORY / CHUNK)));
            double seconds = seconds(false, pool.threads());
            multiplied = Math.max(multiplied, Arrays.stream(products).sum() / seconds);
        }
        return new Peak(bytes, multiplied);
    }

    private double seconds(boolean read, int chunks) {
        reading = read;
        long start = System.nanoTime();
        pool.run(this, chunks);
        return (System.nanoTime() - start) / 1e9;
    }

    @Override
    public void run(int chunk, int thread) {
        if (reading) {
            VectorPeak.read(memory.address() + chunk * CHUNK, CHUNK, room + 64L * thread);
        } else {
            products[chunk] = kernels.multiply(PRODUCTS, room + 64L * thread);
        }
    }

    @Override
    public void close() {
        rooms.close();
        memory.free();
    }
}
