package dev.lory.worker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.lory.error.ServiceException;
import dev.lory.sampling.SamplingParams;
import dev.lory.worker.DesiredState.DesiredAdapter;
import dev.lory.worker.GenerationEvent.Delta;
import dev.lory.worker.GenerationEvent.Finished;
import dev.lory.worker.GenerationEvent.Token;
import dev.lory.worker.GenerationRequest.WeightedAdapter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.IntStream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Every kind of adapter that PEFT makes, alone and in sums, through a worker that has too few slots, too few blocks and changing adapters:
 * whatever is beside a request, it says what it says alone. Blocks are checked after each step by the engine's own assertion.
 */
final class MixedTrafficTest {
    private static final Path FIXTURES = Path.of("src/test/resources/fixtures/models");
    private static final int CLIENTS = 12;
    private static final int LONGEST = 40;
    private static final long STEPS = 20_000;
    /** A name whose content changes all the time. */
    private static final String CHANGING = "changing";

    private static final List<String> CONTENTS = List.of("math", "biology");

    private final JsonNode golden;
    private final Path folder;
    private final Map<String, List<WeightedAdapter>> sets = new LinkedHashMap<>();
    /** By the name of a set and the number of a prompt. */
    private final Map<String, List<Integer>> alone = new HashMap<>();

    private final AtomicInteger answers = new AtomicInteger();
    private final AtomicInteger closedEarly = new AtomicInteger();

    MixedTrafficTest() throws IOException {
        folder = FIXTURES.resolve("llama");
        golden = new ObjectMapper().readTree(Files.readAllBytes(folder.resolve("golden.json")));
        golden.get("cases")
                .fieldNames()
                .forEachRemaining(name -> sets.put(
                        name,
                        StreamSupport.stream(
                                        golden.get("cases")
                                                .get(name)
                                                .get("adapters")
                                                .spliterator(),
                                        false)
                                .map(adapter ->
                                        new WeightedAdapter(adapter.get("name").asText(), (float)
                                                adapter.get("weight").asDouble()))
                                .toList()));
    }

    private DesiredState desired(long revision) {
        List<DesiredAdapter> adapters = new ArrayList<>();
        for (String name : List.of("math", "reasoning", "biology", "dora", "head")) {
            adapters.add(new DesiredAdapter(name, source(name)));
        }
        adapters.add(new DesiredAdapter(CHANGING, source(CONTENTS.get((int) (revision % CONTENTS.size())))));
        return new DesiredState(revision, adapters);
    }

    private String source(String adapter) {
        return folder.resolve("adapters").resolve(adapter).toString();
    }

    private Worker open(int slots, int blocks) {
        SmallOptions options = new SmallOptions(folder.resolve("base"));
        options.threads = 2;
        options.maxModelLen = 96;
        options.maxNumSeqs = 8;
        options.maxNumBatchedTokens = 24;
        options.maxWaiting = 100;
        options.kvCacheBytes = blocks * 4096L; // 2 layers of 16 keys and values of 32 halves
        options.residency = new ResidencyLimits(slots, 0);
        return LocalWorker.open(options.get());
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2})
    void everyRequestSaysWhatItSaysAlone(long seed) throws Exception {
        try (Worker wide = open(0, 100)) {
            wide.apply(desired(1));
            for (String set : sets.keySet()) {
                for (int prompt = 0; prompt < prompts(); prompt++) {
                    alone.put(set + prompt, ask(wide, set, sets.get(set), prompt, LONGEST, LONGEST));
                }
            }
        }
        try (Worker narrow = open(3, 9);
                ExecutorService clients = Executors.newVirtualThreadPerTaskExecutor()) {
            narrow.apply(desired(1));
            List<Future<?>> running = new ArrayList<>();
            for (int client = 0; client < CLIENTS; client++) {
                Random random = new Random(seed * 1000 + client);
                running.add(clients.submit(() -> {
                    while (narrow.status().engine().stepsTotal() < STEPS) {
                        request(narrow, random);
                    }
                }));
            }
            for (long revision = 2; running.stream().noneMatch(Future::isDone); revision++) {
                narrow.apply(desired(revision));
                Thread.sleep(20);
            }
            for (Future<?> client : running) {
                client.get();
            }
            WorkerStatus status = idle(narrow);
            assertThat(status.engine().preemptionsTotal()).as("too few blocks").isPositive();
            assertThat(status.engine().cachedTokensTotal()).as("shared prompts").isPositive();
            assertThat(status.residency().evictions()).as("too few slots").isGreaterThan(100);
            assertThat(status.residency().loras()).isLessThanOrEqualTo(3);
            assertThat(status.engine().kvUsage()).isZero();
            assertThat(status.adapters())
                    .allSatisfy(adapter -> assertThat(adapter.leases()).isZero());
            assertThat(answers.get()).isGreaterThan(1000);
            assertThat(closedEarly.get()).isPositive();
        }
    }

    /** What was closed early is cancelled by the next step. */
    private static WorkerStatus idle(Worker worker) throws InterruptedException {
        for (int i = 0; i < 100 && worker.status().engine().running() > 0; i++) {
            Thread.sleep(20);
        }
        return worker.status();
    }

    private int prompts() {
        return golden.get("prompts").size();
    }

    private void request(Worker worker, Random random) {
        List<String> names = List.copyOf(sets.keySet());
        int pick = random.nextInt(names.size() + 2);
        String set = pick < names.size() ? names.get(pick) : CHANGING;
        List<WeightedAdapter> adapters = set.equals(CHANGING)
                ? List.of(new WeightedAdapter(CHANGING, 1))
                : Objects.requireNonNull(sets.get(set));
        int length = 1 + random.nextInt(LONGEST);
        int read = random.nextInt(8) == 0 ? random.nextInt(length) : length;
        int prompt = random.nextInt(prompts());
        List<Integer> said = ask(worker, set, adapters, prompt, length, read);
        if (read < length) {
            closedEarly.incrementAndGet();
        }
        List<List<Integer>> wanted = set.equals(CHANGING)
                ? CONTENTS.stream()
                        .map(content -> alone("adapter." + content, prompt, said.size()))
                        .toList()
                : List.of(alone(set, prompt, said.size()));
        assertThat(said).as("%s, prompt %d", set, prompt).isIn(wanted);
        answers.incrementAndGet();
        if (random.nextInt(4) == 0) {
            LockSupport.parkNanos(random.nextInt(10_000_000));
        }
    }

    private List<Integer> alone(String set, int prompt, int length) {
        return Objects.requireNonNull(alone.get(set + prompt)).subList(0, length);
    }

    /** The first {@code read} tokens of an answer of {@code length}. */
    private List<Integer> ask(
            Worker worker, String set, List<WeightedAdapter> adapters, int prompt, int length, int read) {
        SamplingParams params = SamplingParams.builder()
                .temperature(0)
                .maxTokens(length)
                .ignoreEos(true)
                .logprobs(0)
                .build();
        List<Integer> ids = IntStream.range(0, golden.get("prompts").get(prompt).size())
                .mapToObj(i -> golden.get("prompts").get(prompt).get(i).asInt())
                .toList();
        List<Integer> said = new ArrayList<>();
        try (Generation generation =
                worker.generate(new GenerationRequest("test", new Prompt.Tokens(ids), adapters, params))) {
            while (said.size() < read && generation.hasNext()) {
                switch (generation.next()) {
                    case Delta delta ->
                        said.addAll(delta.tokens().stream().map(Token::id).toList());
                    case Finished end -> assertThat(said).as(set).hasSize(length);
                    default -> fail("not asked for");
                }
            }
        } catch (ServiceException e) {
            throw new AssertionError(set + ": " + e.code() + " " + e.detail(), e);
        }
        return said;
    }
}
