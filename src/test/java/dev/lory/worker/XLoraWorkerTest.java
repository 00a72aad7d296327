package dev.lory.worker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lory.Folders;
import dev.lory.sampling.SamplingParams;
import dev.lory.worker.DesiredState.DesiredAdapter;
import dev.lory.worker.DesiredState.Residency;
import dev.lory.worker.GenerationRequest.WeightedAdapter;
import dev.lory.worker.WorkerStatus.AdapterStatus;
import dev.lory.worker.XLoraOptions.Detail;
import dev.lory.xlora.XLoraOverrides;
import dev.lory.xlora.XLoraPolicy;
import dev.lory.xlora.XLoraScalings;
import dev.lory.xlora.XLoraSettings;
import dev.lory.xlora.XLoraStatistics;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** How an X-LoRA is set: by its package, at start, by the operator, by the request. */
final class XLoraWorkerTest {
    private static final Path FIXTURES = Path.of("src/test/resources/fixtures/xlora");
    private static final Path PAPER = FIXTURES.resolve("llama-paper/package");
    private static final Prompt PROMPT = new Prompt.Tokens(List.of(5, 9, 13, 21, 3));
    private static final XLoraOverrides FIRST_ONLY =
            new XLoraOverrides(OptionalInt.of(1), OptionalDouble.empty(), OptionalDouble.empty(), OptionalInt.empty());

    private final List<Worker> opened = new ArrayList<>();

    @TempDir
    Path temporary;

    private Worker open(XLoraPolicy policy) {
        SmallOptions options = new SmallOptions(FIXTURES.resolve("bases/llama"));
        options.xloraPolicy = policy;
        Worker worker = LocalWorker.open(options.get());
        opened.add(worker);
        return worker;
    }

    @AfterEach
    void close() {
        opened.forEach(Worker::close);
    }

    private static AdapterStatus set(Worker worker, Path folder, Residency residency, XLoraOverrides overrides) {
        long next = worker.status().appliedRevision() + 1;
        DesiredAdapter wanted = new DesiredAdapter("x", folder.toString(), 0, residency, next, overrides);
        return worker.apply(new DesiredState(next, List.of(wanted))).adapters().getFirst();
    }

    private static AdapterStatus set(Worker worker, XLoraOverrides overrides) {
        return set(worker, PAPER, Residency.ON_DEMAND, overrides);
    }

    private static XLoraScalings scalings(Worker worker, XLoraOverrides overrides) {
        GenerationRequest request = new GenerationRequest(
                "test",
                PROMPT,
                List.of(new WeightedAdapter("x", 1)),
                SamplingParams.builder()
                        .temperature(0)
                        .maxTokens(6)
                        .ignoreEos(true)
                        .build(),
                new XLoraOptions(overrides, Detail.FULL));
        try (Generation generation = worker.generate(request)) {
            while (generation.hasNext()) {
                generation.next();
            }
            return generation.scalings().orElseThrow();
        }
    }

    private static long zeros(XLoraScalings scalings) {
        return scalings.values().stream()
                .mapToLong(token -> {
                    long zeros = 0;
                    for (float value : token) {
                        zeros += value == 0 ? 1 : 0;
                    }
                    return zeros;
                })
                .sum();
    }

    @Test
    void theRequestIsHeardFirstThenTheOperator() {
        Worker worker = open(XLoraPolicy.DEFAULT);
        set(worker, XLoraOverrides.NONE);
        XLoraScalings asPackaged = scalings(worker, XLoraOverrides.NONE);
        assertThat(zeros(asPackaged)).isZero();

        set(worker, FIRST_ONLY);
        XLoraScalings asSet = scalings(worker, XLoraOverrides.NONE);
        int adapters = asSet.adapters().size();
        assertThat(zeros(asSet))
                .isEqualTo((long) asSet.values().size() * asSet.sites().size() * (adapters - 1));
        XLoraOverrides all = new XLoraOverrides(
                OptionalInt.of(adapters), OptionalDouble.empty(), OptionalDouble.empty(), OptionalInt.empty());
        assertThat(zeros(scalings(worker, all))).isZero();
        assertThat(worker.xloras().getFirst().settings().topK()).isEqualTo(1);

        set(worker, XLoraOverrides.NONE);
        assertThat(scalings(worker, XLoraOverrides.NONE).values())
                .usingRecursiveComparison()
                .isEqualTo(asPackaged.values());
    }

    @Test
    void theFlagIsForThoseThatSayNothing() {
        Worker worker = open(new XLoraPolicy("", false, 2, 0));
        set(worker, XLoraOverrides.NONE);
        XLoraScalings frozen = scalings(worker, XLoraOverrides.NONE);
        int last = frozen.values().size() - 1;
        assertThat(frozen.values().get(last)).isEqualTo(frozen.values().get(last - 1));
        XLoraScalings later = scalings(worker, XLoraOverrides.nonGranular(100));
        assertThat(later.values().get(last)).isNotEqualTo(later.values().get(last - 1));
    }

    @Test
    void statisticsAreOfEveryTokenAndOutliveUnloading() {
        Worker worker = open(XLoraPolicy.DEFAULT);
        set(worker, XLoraOverrides.NONE);
        long before = statistics(worker).tokens(); // of the warm-up
        XLoraScalings told = scalings(worker, XLoraOverrides.NONE);
        assertThat(statistics(worker).tokens() - before).isEqualTo(told.values().size());
        XLoraStatistics known = statistics(worker);
        assertThat(known.adapters().stream().mapToDouble(of -> of.mean()).sum()).isBetween(0.999, 1.001);

        set(worker, PAPER, Residency.UNLOADED, XLoraOverrides.NONE);
        assertThat(statistics(worker)).isEqualTo(known);
        set(worker, XLoraOverrides.NONE);
        scalings(worker, XLoraOverrides.NONE);
        assertThat(statistics(worker).tokens()).isGreaterThan(known.tokens());
    }

    private static XLoraStatistics statistics(Worker worker) {
        XLoraStatus status = worker.xloras().getFirst();
        return status.statistics();
    }

    @Test
    void aPackageWithoutOrderingTakesTheOneOfTheFlag() throws IOException {
        Path alone = Folders.copy(PAPER, temporary.resolve("alone/package"));
        AdapterStatus refused = set(open(XLoraPolicy.DEFAULT), alone, Residency.ON_DEMAND, XLoraOverrides.NONE);
        assertThat(refused.reason()).contains("has no ordering.json");

        String ordering = FIXTURES.resolve("llama-paper/ordering.json").toString();
        Worker worker = open(new XLoraPolicy(ordering, false, 0, 0));
        AdapterStatus taken = set(worker, alone, Residency.ON_DEMAND, XLoraOverrides.NONE);
        assertThat(taken.reason()).isEmpty();
        assertThat(taken.digest()).isEqualTo(set(worker, XLoraOverrides.NONE).digest());
    }

    @Test
    void anotherBaseIsRefusedUnlessItIsAllowed() throws IOException {
        Path other = Folders.copy(FIXTURES.resolve("llama-paper"), temporary.resolve("other"));
        Path config = other.resolve("package/xlora_config.json");
        Files.writeString(
                config, Files.readString(config).replaceFirst("(\"base_model_id\": ?\")[^\"]*", "$1somebody/else"));
        Path folder = other.resolve("package");
        assertThat(set(open(XLoraPolicy.DEFAULT), folder, Residency.ON_DEMAND, XLoraOverrides.NONE)
                        .reason())
                .contains("the X-LoRA for `somebody/else`", "--any-base-model-id");

        Worker any = open(new XLoraPolicy("", true, 0, 0));
        assertThat(set(any, folder, Residency.ON_DEMAND, XLoraOverrides.NONE).reason())
                .isEmpty();
        assertThat(any.check(folder.toString()).findings())
                .anyMatch(finding -> finding.detail().contains("somebody/else"));
    }

    @Test
    void onlySoManyHaveATurn() throws Exception {
        XLoraSettings frozen = new XLoraSettings(true, false, 1, 0, 0, 1, 4);
        NonGranularTurns turns = new NonGranularTurns(1);
        turns.take(frozen.nonGranular(0));
        Runnable turn = turns.take(frozen);
        CompletableFuture<Runnable> second = CompletableFuture.supplyAsync(() -> turns.take(frozen));
        assertThatThrownBy(() -> second.get(50, TimeUnit.MILLISECONDS)).isInstanceOf(TimeoutException.class);
        turn.run();
        second.get(5, TimeUnit.SECONDS).run();
    }

    @Test
    void withTurnsEveryAnswerIsTheSame() throws Exception {
        Worker worker = open(new XLoraPolicy("", false, 1, 1));
        set(worker, XLoraOverrides.NONE);
        List<float[]> alone = scalings(worker, XLoraOverrides.NONE).values();
        try (ExecutorService pool = Executors.newFixedThreadPool(4)) {
            List<Future<XLoraScalings>> all = new ArrayList<>();
            for (int i = 0; i < 12; i++) {
                all.add(pool.submit(() -> scalings(worker, XLoraOverrides.NONE)));
            }
            for (Future<XLoraScalings> one : all) {
                assertThat(one.get(60, TimeUnit.SECONDS).values())
                        .usingRecursiveComparison()
                        .isEqualTo(alone);
            }
        }
    }
}
