package dev.lory.cli;

import dev.lory.adapter.AdapterReport;
import dev.lory.worker.DesiredState;
import dev.lory.worker.Generation;
import dev.lory.worker.GenerationEvent;
import dev.lory.worker.GenerationEvent.Delta;
import dev.lory.worker.GenerationEvent.Finished;
import dev.lory.worker.GenerationEvent.Reason;
import dev.lory.worker.GenerationEvent.Token;
import dev.lory.worker.GenerationEvent.Usage;
import dev.lory.worker.GenerationRequest;
import dev.lory.worker.Histogram;
import dev.lory.worker.Prompt;
import dev.lory.worker.Roofline;
import dev.lory.worker.Vocabulary;
import dev.lory.worker.Worker;
import dev.lory.worker.WorkerStatus;
import dev.lory.worker.WorkerStatus.AdapterStatus;
import dev.lory.worker.WorkerStatus.EngineStatus;
import dev.lory.worker.WorkerStatus.ModelInfo;
import dev.lory.worker.WorkerStatus.ResidencyStatus;
import dev.lory.worker.WorkerStatus.Tier;
import dev.lory.worker.XLoraStatus;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.stream.IntStream;

/** A worker that says one letter after another, as slowly as it is told to. */
final class FakeWorker implements Worker {
    private static final int VOCABULARY = 1000;

    final List<GenerationRequest> requests = Collections.synchronizedList(new ArrayList<>());
    int millisToFirst;
    int millisToNext;
    int cached;
    int tokensAtMost = Integer.MAX_VALUE;
    private volatile DesiredState desired = new DesiredState(0, List.of());

    @Override
    public WorkerStatus status() {
        List<AdapterStatus> adapters = desired.adapters().stream()
                .map(adapter -> new AdapterStatus(
                        adapter.name(),
                        adapter.source(),
                        AdapterStatus.State.READY,
                        "",
                        "00",
                        8,
                        1,
                        List.of(),
                        Tier.DEVICE,
                        false,
                        0,
                        0))
                .toList();
        return new WorkerStatus(
                "fake",
                new ModelInfo("fake-model", "Fake", "fake.gguf", "00", 4096, VOCABULARY, List.of()),
                desired.revision(),
                adapters,
                new ResidencyStatus(0, 0, 0, 0, 0, 0, 0, 0, Histogram.NONE, Histogram.NONE),
                new EngineStatus(0, 0, 0, 1, 16, 0, 0, 0, 0, 0, Histogram.NONE));
    }

    @Override
    public Roofline roofline() {
        return Roofline.UNKNOWN;
    }

    @Override
    public List<XLoraStatus> xloras() {
        return List.of();
    }

    @Override
    public WorkerStatus apply(DesiredState wanted) {
        desired = wanted;
        return status();
    }

    @Override
    public AdapterReport check(String source) {
        throw new AssertionError("no command asks for it");
    }

    @Override
    public Generation generate(GenerationRequest request) {
        requests.add(request);
        List<Integer> prompt = promptTokens(request.prompt());
        int count = Math.min(tokensAtMost, request.sampling().maxTokens().orElse(4));
        return new Letters(prompt, count);
    }

    private static List<Integer> promptTokens(Prompt prompt) {
        return prompt instanceof Prompt.Tokens tokens ? tokens.ids() : List.of(1, 2, 3);
    }

    @Override
    public Vocabulary vocabulary() {
        return new Vocabulary() {
            @Override
            public String text(int id) {
                return "a";
            }

            @Override
            public byte[] bytes(int id) {
                return text(id).getBytes(StandardCharsets.UTF_8);
            }

            @Override
            public String piece(int id) {
                return text(id);
            }

            @Override
            public List<Integer> encode(Prompt prompt, boolean addSpecialTokens) {
                return promptTokens(prompt);
            }

            @Override
            public String render(Prompt.Chat chat) {
                return "aaa";
            }

            @Override
            public boolean isSpecial(int id) {
                return false;
            }

            @Override
            public String decode(List<Integer> ids) {
                return "a".repeat(ids.size());
            }
        };
    }

    @Override
    public void close() {}

    private final class Letters implements Generation {
        private final List<Integer> prompt;
        private final List<GenerationEvent> events = new ArrayList<>();
        private int next;

        Letters(List<Integer> prompt, int count) {
            this.prompt = prompt;
            IntStream.range(0, count)
                    .forEach(at -> events.add(new Delta("a", List.of(new Token(at, Float.NaN, List.of())))));
            events.add(new Finished(Reason.LENGTH, new Usage(prompt.size(), count, cached), List.of()));
        }

        @Override
        public List<Integer> promptTokenIds() {
            return prompt;
        }

        @Override
        public Usage usage() {
            return new Usage(prompt.size(), next, cached);
        }

        @Override
        public Duration queued() {
            return Duration.ZERO;
        }

        @Override
        public boolean hasNext() {
            return next < events.size();
        }

        @Override
        public GenerationEvent next() {
            try {
                Thread.sleep(next == 0 ? millisToFirst : millisToNext);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
            return events.get(next++);
        }

        @Override
        public void close() {
            next = events.size();
        }
    }
}
