package dev.lory.cli;

import static dev.lory.error.ErrorCode.INTERNAL;

import dev.lory.error.ServiceException;
import dev.lory.sampling.SamplingParams;
import dev.lory.worker.Generation;
import dev.lory.worker.GenerationEvent;
import dev.lory.worker.GenerationRequest;
import dev.lory.worker.GenerationRequest.WeightedAdapter;
import dev.lory.worker.Prompt;
import dev.lory.worker.Worker;
import dev.lory.worker.XLoraOptions;
import dev.lory.xlora.XLoraOverrides;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;

/** One timed batch through a worker: prompts of random tokens, greedy, past the end token, so that each run does the same work. */
final class BenchRun {
    /** The lowest ids are control tokens in most vocabularies. */
    private static final int FIRST_ORDINARY_TOKEN = 256;

    private final Worker worker;
    private final int promptTokens;
    private final int newTokens;
    private final SplittableRandom random;
    private int served;

    /** @param seed of the prompts; no two prompts of one {@code BenchRun} begin alike, so the prefix cache never helps */
    BenchRun(Worker worker, int promptTokens, int newTokens, long seed) {
        this.worker = worker;
        this.promptTokens = promptTokens;
        this.newTokens = newTokens;
        this.random = new SplittableRandom(seed);
    }

    /**
     * What one batch took.
     *
     * @param prefill prompt tokens of the batch per second, until the last row has its first token
     * @param decode tokens per second after that, as if all rows were as fast as those that count; NaN if there are none
     */
    record Sample(double prefill, double decode) {}

    /** When a row got its tokens, in nanoseconds, and how much of its prompt was cached. */
    private record RowTimes(List<Long> tokens, int cached) {
        RowTimes {
            tokens = List.copyOf(tokens);
        }
    }

    /**
     * What a row runs with.
     *
     * @param counts whether its decoding is measured
     */
    record Row(List<WeightedAdapter> adapters, XLoraOptions xlora, boolean counts) {
        Row {
            adapters = List.copyOf(adapters);
        }

        /** With these, each as trained; none = the base model. */
        static Row of(List<String> names) {
            return new Row(
                    names.stream().map(name -> new WeightedAdapter(name, 1)).toList(), XLoraOptions.NONE, true);
        }

        /** With an X-LoRA, whose scalings stay what they are after that many tokens. */
        static Row frozen(String name, int index) {
            return new Row(
                    of(List.of(name)).adapters(),
                    new XLoraOptions(XLoraOverrides.nonGranular(index), XLoraOptions.Detail.NONE),
                    true);
        }

        /** With the same, only to be there. */
        Row aside() {
            return new Row(adapters, xlora, false);
        }
    }

    /** One row each. */
    Sample measure(List<Row> rows) {
        List<GenerationRequest> requests = rows.stream().map(this::request).toList();
        List<RowTimes> times = new ArrayList<>();
        long start = System.nanoTime();
        try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<RowTimes>> running = new ArrayList<>();
            requests.forEach(request -> running.add(threads.submit(() -> drain(request))));
            for (Future<RowTimes> row : running) {
                times.add(row.get());
            }
        } catch (ExecutionException e) {
            throw e.getCause() instanceof ServiceException known ? known : new IllegalStateException(e.getCause());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ServiceException(INTERNAL, "interrupted while measuring");
        }
        return sample(start, rows, times);
    }

    private Sample sample(long start, List<Row> batch, List<RowTimes> rows) {
        List<RowTimes> counted = IntStream.range(0, rows.size())
                .filter(row -> batch.get(row).counts())
                .mapToObj(rows::get)
                .toList();
        if (rows.stream().anyMatch(row -> row.cached() > 0)) {
            throw new ServiceException(INTERNAL, "the prefix cache has helped a row, the figures would be too good");
        }
        long allStarted =
                rows.stream().mapToLong(row -> row.tokens().getFirst()).max().orElseThrow();
        long end =
                counted.stream().mapToLong(row -> row.tokens().getLast()).max().orElseThrow();
        long after = counted.stream()
                .flatMap(row -> row.tokens().stream())
                .filter(at -> at > allStarted)
                .count();
        double prefill = (double) promptTokens * rows.size() / seconds(allStarted - start);
        double decode = after == 0 ? Double.NaN : after / seconds(end - allStarted);
        return new Sample(prefill, decode * rows.size() / counted.size());
    }

    private RowTimes drain(GenerationRequest request) {
        List<Long> times = new ArrayList<>();
        int cached = 0;
        try (Generation generation = worker.generate(request)) {
            while (generation.hasNext()) {
                switch (generation.next()) {
                    case GenerationEvent.Delta delta -> {
                        long now = System.nanoTime();
                        delta.tokens().forEach(token -> times.add(now));
                    }
                    case GenerationEvent.Finished finished ->
                        cached = finished.usage().cachedTokens();
                    case GenerationEvent.PromptScored ignored -> {}
                }
            }
        }
        if (times.size() != newTokens) {
            throw new ServiceException(
                    INTERNAL, "a row generated " + times.size() + " tokens, " + newTokens + " were wanted");
        }
        return new RowTimes(times, cached);
    }

    private GenerationRequest request(Row row) {
        int vocabulary = worker.status().model().vocabSize();
        int low = Math.min(FIRST_ORDINARY_TOKEN, vocabulary / 2);
        List<Integer> ids = random.ints(promptTokens, low, vocabulary).boxed().toList();
        SamplingParams greedy = SamplingParams.builder()
                .temperature(0)
                .maxTokens(newTokens)
                .ignoreEos(true)
                .build();
        return new GenerationRequest("bench-" + served++, new Prompt.Tokens(ids), row.adapters(), greedy, row.xlora());
    }

    private static double seconds(long nanos) {
        return nanos / 1e9;
    }
}
