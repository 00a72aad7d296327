package dev.lory.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.sun.management.ThreadMXBean;
import dev.lory.adapter.AdapterSet;
import dev.lory.error.ErrorCode;
import dev.lory.error.ServiceException;
import dev.lory.kernel.cpu.CpuBackend;
import dev.lory.kernel.cpu.Kernels;
import dev.lory.sampling.SamplingParams;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/** The engine on the demo model with the fast kernels. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
final class EngineTest {
    /** Doubling the token array of the sequence and a block table: two arrays in 200 tokens. */
    private static final long TOLERATED = 200 * 40;

    private DemoModel model;
    private JsonNode golden;

    @BeforeAll
    void load() {
        golden = DemoModel.golden();
        model = new DemoModel(new CpuBackend(2, Kernels.AUTO), new EngineOptions(32, 40, 256, 0, 512, 16));
    }

    @AfterAll
    void close() {
        model.close();
    }

    private int[] prompt(int i) {
        return DemoModel.ids(
                golden.get("prompts").get(i % golden.get("prompts").size()).get("token_ids"));
    }

    private AdapterSet set(int i) {
        return switch (i % 6) {
            case 0 -> AdapterSet.BASE;
            case 1 -> model.mode("math");
            case 2 -> model.mode("reasoning");
            case 3 -> model.mode("biology");
            case 4 -> model.set(Map.of("math", 0.5f, "biology", 0.75f));
            default -> model.set(Map.of("math", 1f, "reasoning", -0.5f, "biology", 0.25f));
        };
    }

    private static SamplingParams params(int i) {
        return i % 2 == 0
                ? SamplingParams.greedy(24)
                : SamplingParams.builder()
                        .temperature(0.8f)
                        .topP(0.95f)
                        .seed(i)
                        .maxTokens(24)
                        .build();
    }

    @Test
    void saysInABatchOf24WhatEachSaysAlone() {
        List<List<Integer>> alone = new ArrayList<>();
        for (int i = 0; i < 24; i++) {
            alone.add(model.start(prompt(i), set(i), params(i)).tokens());
        }
        List<RecordingSink> together = new ArrayList<>();
        for (int i = 0; i < 24; i++) {
            together.add(model.start(prompt(i), set(i), params(i)));
        }
        for (int i = 0; i < 24; i++) {
            assertThat(together.get(i).tokens()).as("sequence %d", i).isEqualTo(alone.get(i));
        }
    }

    @Test
    void sharesPromptsWithinASetOfAdaptersOnly() {
        int[] prompt = prompt(3);
        SamplingParams params = SamplingParams.greedy(2);
        model.start(prompt, model.set(Map.of("math", 0.125f)), params).tokens();
        RecordingSink same = model.start(prompt, model.set(Map.of("math", 0.125f)), params);
        RecordingSink other = model.start(prompt, model.set(Map.of("math", 0.0625f)), params);
        same.tokens();
        other.tokens();
        assertThat(same.cached).isEqualTo((prompt.length - 1) / 16 * 16);
        assertThat(other.cached).isZero();
    }

    @Test
    void refusesMoreThanMayWaitAndLeavesPlacesForOthers() {
        List<RecordingSink> accepted = new ArrayList<>();
        CountDownLatch hold = new CountDownLatch(1);
        model.engine.post(() -> await(hold)); // so that nothing is admitted meanwhile
        assertThatThrownBy(() -> {
                    for (int i = 0; i < 100; i++) {
                        accepted.add(model.start(prompt(0), AdapterSet.BASE, SamplingParams.greedy(1)));
                    }
                })
                .isInstanceOfSatisfying(
                        ServiceException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.OVERLOADED));
        assertThat(accepted).as("of 40 places").hasSize(36);
        accepted.add(model.start(prompt(0), model.mode("sum"), SamplingParams.greedy(1)));
        hold.countDown();
        assertThat(accepted)
                .hasSize(37)
                .allSatisfy(sink -> assertThat(sink.tokens()).hasSize(1));
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Reads the counter of the engine's own thread from within, at two tokens far apart. */
    private static final class MeasuringSink implements TokenSink {
        private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        private final AtomicLong allocated = new AtomicLong();
        private final CountDownLatch end = new CountDownLatch(1);
        private final int from;
        private final int to;
        private int tokens;

        MeasuringSink(int from, int to) {
            this.from = from;
            this.to = to;
        }

        @Override
        public void started(int cachedTokens) {
            tokens = 0;
        }

        @Override
        public void prompt(int position, float logprob, int[] top, float[] topLogprobs) {
            throw new AssertionError("not asked for");
        }

        @Override
        public void token(int id) {
            tokens++;
            if (tokens == from) {
                allocated.set(-THREADS.getCurrentThreadAllocatedBytes());
            } else if (tokens == to) {
                allocated.addAndGet(THREADS.getCurrentThreadAllocatedBytes());
            }
        }

        @Override
        public void token(int id, float logprob, int[] top, float[] topLogprobs) {
            throw new AssertionError("not asked for");
        }

        @Override
        public void finished(Ending ending) {
            end.countDown();
        }

        @Override
        public void failed(ServiceException failure) {
            throw new AssertionError(failure);
        }
    }

    @Test
    void allocatesNothingPerTokenInSteadyState() throws InterruptedException {
        SamplingParams params = SamplingParams.builder()
                .temperature(0)
                .maxTokens(400)
                .ignoreEos(true)
                .build();
        long allocated = Long.MAX_VALUE;
        // The compiler's work is not ours, and when it is done depends on what else this JVM has run.
        for (int round = 0; round < 4 && allocated >= TOLERATED; round++) {
            allocated = allocatedBytes(round, params);
        }
        assertThat(allocated).as("settled").isLessThan(TOLERATED);
        assertThat(allocatedBytes(4, params)).as("and stays so").isLessThan(TOLERATED);
    }

    /** Of the engine's thread, from the 100th to the 300th token. */
    private long allocatedBytes(int prompt, SamplingParams params) throws InterruptedException {
        MeasuringSink sink = new MeasuringSink(100, 300);
        model.engine.submit(model.sequence(prompt(prompt), model.mode("sum"), params, sink));
        sink.end.await();
        return sink.allocated.get();
    }
}
