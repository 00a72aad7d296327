package dev.lory.kernel.cpu;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * The caller and {@code threads - 1} daemons that take numbered chunks of a task in turn. A thread that the system holds up
 * delays only its own chunk. Idle daemons spin for a moment, because the next task of a step is some µs away, then sleep, because
 * the cores are shared with others. One thread calls.
 */
final class WorkerPool implements AutoCloseable {
    /** Work in numbered chunks. Chunks start in the order of their numbers. */
    interface Task {
        /** @param thread 0 to {@code threads - 1}, for scratch memory */
        void run(int chunk, int thread);
    }

    private static final long SPIN_NANOS = 40_000;
    private static final int MAX_CHUNKS = 0xffff;
    private static final Task NOTHING = (chunk, thread) -> {};

    private final Thread[] workers;
    private final AtomicIntegerArray asleep;
    /** Which task this is (upper half), of how many chunks, and the next one to start: one word, so that nobody mixes two tasks. */
    private final AtomicLong state = new AtomicLong();

    private final AtomicInteger done = new AtomicInteger();
    private final AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();
    private Task task = NOTHING;
    private volatile boolean closed;

    WorkerPool(int threads) {
        workers = new Thread[threads - 1];
        asleep = new AtomicIntegerArray(threads);
        for (int i = 0; i < workers.length; i++) {
            int thread = i + 1;
            workers[i] = Thread.ofPlatform().daemon().name("kernel-" + thread).unstarted(() -> work(thread));
        }
        for (Thread worker : workers) {
            worker.start();
        }
    }

    int threads() {
        return workers.length + 1;
    }

    /** The daemons, so that a test can watch what they allocate. */
    Thread[] daemons() {
        return workers.clone();
    }

    /** Runs all chunks and returns when all are done; what they wrote is visible afterwards. Throws what a chunk threw, when none is running. */
    void run(Task work, int chunks) {
        if (chunks > MAX_CHUNKS) {
            throw new IllegalArgumentException(chunks + " chunks");
        }
        if (workers.length == 0 || chunks < 2) {
            for (int chunk = 0; chunk < chunks; chunk++) {
                work.run(chunk, 0);
            }
            return;
        }
        task = work;
        done.setPlain(0);
        long mine = ((state.getPlain() >>> 32) + 1 & 0xffffffffL) << 32 | (long) chunks << 16;
        state.set(mine);
        for (int i = 0; i < workers.length; i++) {
            if (asleep.get(i + 1) == 1) {
                LockSupport.unpark(workers[i]);
            }
        }
        take(mine >>> 32, 0);
        await(chunks);
        Throwable thrown = failure.getAndSet(null);
        if (thrown instanceof RuntimeException e) {
            throw e;
        }
        if (thrown instanceof Error e) {
            throw e;
        }
    }

    private void take(long epoch, int thread) {
        for (; ; ) {
            long seen = state.get();
            int chunk = (int) (seen & 0xffff);
            if (seen >>> 32 != epoch || chunk >= (seen >>> 16 & 0xffff)) {
                return;
            }
            if (!state.compareAndSet(seen, seen + 1)) {
                continue;
            }
            try {
                task.run(chunk, thread);
            } catch (Throwable e) {
                failure.compareAndSet(null, e);
            }
            done.incrementAndGet();
        }
    }

    private void await(int chunks) {
        if (done.get() == chunks) {
            return;
        }
        long start = System.nanoTime();
        while (done.get() != chunks) {
            // a daemon that still holds a chunk may want this core
            if (System.nanoTime() - start > SPIN_NANOS) {
                Thread.yield();
            } else {
                Thread.onSpinWait();
            }
        }
    }

    private void work(int thread) {
        long epoch = 0;
        while (!closed) {
            long now = state.get() >>> 32;
            if (now != epoch) {
                epoch = now;
                take(epoch, thread);
            } else {
                idle(epoch, thread);
            }
        }
    }

    private void idle(long epoch, int thread) {
        long start = System.nanoTime();
        while (System.nanoTime() - start < SPIN_NANOS) {
            for (int i = 0; i < 16; i++) {
                if (state.get() >>> 32 != epoch) {
                    return;
                }
                Thread.onSpinWait();
            }
        }
        asleep.set(thread, 1);
        while (state.get() >>> 32 == epoch && !closed) {
            LockSupport.park(this);
        }
        asleep.set(thread, 0);
    }

    @Override
    public void close() {
        closed = true;
        for (Thread worker : workers) {
            LockSupport.unpark(worker);
        }
        for (Thread worker : workers) {
            boolean interrupted = false;
            while (worker.isAlive()) {
                try {
                    worker.join();
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
