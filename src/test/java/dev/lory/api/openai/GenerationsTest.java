package dev.lory.api.openai;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lory.adapter.AdapterReport;
import dev.lory.error.ErrorCode;
import dev.lory.error.ServiceException;
import dev.lory.registry.Eventually;
import dev.lory.sampling.SamplingParams;
import dev.lory.worker.DesiredState;
import dev.lory.worker.FakeWorker;
import dev.lory.worker.Generation;
import dev.lory.worker.GenerationEvent;
import dev.lory.worker.GenerationEvent.Delta;
import dev.lory.worker.GenerationEvent.Usage;
import dev.lory.worker.GenerationRequest;
import dev.lory.worker.Prompt;
import dev.lory.worker.Roofline;
import dev.lory.worker.Vocabulary;
import dev.lory.worker.Worker;
import dev.lory.worker.WorkerStatus;
import dev.lory.worker.XLoraStatus;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

final class GenerationsTest {
    private static final GenerationRequest REQUEST =
            new GenerationRequest("1", new Prompt.Tokens(List.of(65)), List.of(), SamplingParams.DEFAULT);

    @Test
    void whoWaitsLearnsThatTheyWereClosed() throws Exception {
        FakeWorker silent = new FakeWorker();
        silent.script(List.of());
        Generations generations = new Generations(silent, List.of(REQUEST));
        Thread waiting = Thread.ofVirtual().start(() -> {
            try {
                assertThat(generations.next(Duration.ofHours(1))).isEmpty();
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        });
        Eventually.is(waiting::getState, Thread.State.TIMED_WAITING);
        assertThat(generations.isOpen()).isTrue();
        generations.close();
        assertThat(waiting.join(Duration.ofSeconds(10))).isTrue();
        assertThat(generations.isOpen()).isFalse();
    }

    /** As many as there is room for, so that there is none for the failure. */
    @Test
    void tellsAFailureAlsoWhereNobodyHasReadWhatCameBefore() throws Exception {
        Failing worker = new Failing(64);
        try (Generations generations = new Generations(worker, List.of(REQUEST))) {
            Eventually.is(() -> worker.failed, true);
            for (int i = 0; i < 64; i++) {
                assertThat(generations.next(Duration.ofSeconds(10))).isPresent();
            }
            assertThatThrownBy(() -> generations.next(Duration.ofSeconds(10))).hasMessage("gone");
        }
    }

    /** A worker whose generations give so many events and then fail. */
    private static final class Failing implements Worker {
        private final FakeWorker others = new FakeWorker();
        private final int events;
        private volatile boolean failed;

        Failing(int events) {
            this.events = events;
        }

        @Override
        public Generation generate(GenerationRequest request) {
            return new Generation() {
                private int given;

                @Override
                public List<Integer> promptTokenIds() {
                    return List.of(65);
                }

                @Override
                public boolean hasNext() {
                    if (given == events) {
                        failed = true;
                        throw new ServiceException(ErrorCode.UNAVAILABLE, "gone");
                    }
                    return true;
                }

                @Override
                public GenerationEvent next() {
                    given++;
                    return new Delta("x", List.of());
                }

                @Override
                public Usage usage() {
                    return new Usage(1, given, 0);
                }

                @Override
                public Duration queued() {
                    return Duration.ZERO;
                }

                @Override
                public void close() {}
            };
        }

        @Override
        public WorkerStatus status() {
            return others.status();
        }

        @Override
        public Roofline roofline() {
            return Roofline.UNKNOWN;
        }

        @Override
        public List<XLoraStatus> xloras() {
            return others.xloras();
        }

        @Override
        public WorkerStatus apply(DesiredState desired) {
            return others.apply(desired);
        }

        @Override
        public AdapterReport check(String source) {
            return others.check(source);
        }

        @Override
        public Vocabulary vocabulary() {
            return others.vocabulary();
        }

        @Override
        public void close() {}
    }
}
