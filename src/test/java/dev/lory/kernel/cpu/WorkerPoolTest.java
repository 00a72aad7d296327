package dev.lory.kernel.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.util.Arrays;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Every chunk once, failures come out, threads end, and nothing runs while there is nothing to do. */
final class WorkerPoolTest {
    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 8})
    void runsEveryChunkOnceInEveryRound(int threads) {
        Random random = new Random(threads);
        try (WorkerPool pool = new WorkerPool(threads)) {
            for (int round = 0; round < 3000; round++) {
                int chunks = round % 100 == 0 ? 1000 : random.nextInt(20);
                AtomicIntegerArray runs = new AtomicIntegerArray(chunks);
                AtomicInteger strangers = new AtomicInteger();
                pool.run(
                        (chunk, thread) -> {
                            runs.incrementAndGet(chunk);
                            if (thread < 0 || thread >= threads) {
                                strangers.incrementAndGet();
                            }
                        },
                        chunks);
                for (int chunk = 0; chunk < chunks; chunk++) {
                    assertThat(runs.get(chunk))
                            .as("chunk %d of round %d", chunk, round)
                            .isOne();
                }
                assertThat(strangers.get()).isZero();
                if (round % 500 == 499) {
                    // long enough for the daemons to fall asleep
                    LockSupport.parkNanos(2_000_000);
                }
            }
        }
    }

    @Test
    void neverRunsTwoChunksAsTheSameThread() {
        AtomicIntegerArray inside = new AtomicIntegerArray(4);
        AtomicInteger collisions = new AtomicInteger();
        try (WorkerPool pool = new WorkerPool(4)) {
            for (int round = 0; round < 500; round++) {
                pool.run(
                        (chunk, thread) -> {
                            if (inside.getAndIncrement(thread) != 0) {
                                collisions.incrementAndGet();
                            }
                            Thread.onSpinWait();
                            inside.decrementAndGet(thread);
                        },
                        64);
            }
        }
        assertThat(collisions.get()).isZero();
    }

    @Test
    void seesWhatTheChunksWrote() {
        int[] plain = new int[256];
        try (WorkerPool pool = new WorkerPool(3)) {
            for (int round = 1; round <= 2000; round++) {
                int value = round;
                pool.run((chunk, thread) -> plain[chunk] = value, plain.length);
                assertThat(Arrays.stream(plain).allMatch(v -> v == value)).isTrue();
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3})
    void throwsWhatAChunkThrewAndGoesOn(int threads) {
        try (WorkerPool pool = new WorkerPool(threads)) {
            for (int failing = 0; failing < 12; failing++) {
                int bad = failing;
                AtomicInteger others = new AtomicInteger();
                assertThatThrownBy(() -> pool.run(
                                (chunk, thread) -> {
                                    if (chunk == bad) {
                                        throw new IllegalArgumentException("chunk " + bad);
                                    }
                                    others.incrementAndGet();
                                },
                                12))
                        .isInstanceOf(IllegalArgumentException.class)
                        .hasMessage("chunk " + bad);
                assertThat(others.get()).isEqualTo(threads == 1 ? bad : 11);
                AtomicInteger after = new AtomicInteger();
                pool.run((chunk, thread) -> after.incrementAndGet(), 12);
                assertThat(after.get()).isEqualTo(12);
            }
        }
    }

    @Test
    void refusesMoreChunksThanItCanCount() {
        try (WorkerPool pool = new WorkerPool(2)) {
            AtomicInteger runs = new AtomicInteger();
            pool.run((chunk, thread) -> runs.incrementAndGet(), 65535);
            assertThat(runs.get()).isEqualTo(65535);
            assertThatThrownBy(() -> pool.run((chunk, thread) -> {}, 65536)).hasMessageContaining("65536");
        }
    }

    @Test
    void closingEndsTheThreads() {
        WorkerPool pool = new WorkerPool(4);
        pool.run((chunk, thread) -> {}, 16);
        Thread[] daemons = pool.daemons();
        assertThat(daemons).hasSize(3).allMatch(Thread::isAlive).allMatch(Thread::isDaemon);
        pool.close();
        assertThat(daemons).noneMatch(Thread::isAlive);
    }

    @Test
    void usesNoProcessorAtRest() throws InterruptedException {
        try (WorkerPool pool = new WorkerPool(3)) {
            pool.run((chunk, thread) -> {}, 64);
            Thread.sleep(100);
            long before = processorNanos(pool);
            Thread.sleep(300);
            assertThat(processorNanos(pool) - before).isLessThan(1_000_000);
        }
    }

    private static long processorNanos(WorkerPool pool) {
        return Arrays.stream(pool.daemons())
                .mapToLong(thread -> THREADS.getThreadCpuTime(thread.threadId()))
                .sum();
    }
}
