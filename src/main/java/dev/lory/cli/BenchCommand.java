package dev.lory.cli;

import static dev.lory.error.ErrorCode.INVALID_CONFIGURATION;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.lory.cli.BenchRun.Sample;
import dev.lory.error.ServiceException;
import dev.lory.worker.Worker;
import dev.lory.worker.WorkerOptions;
import dev.lory.worker.WorkerStatus;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code lory bench}: prefill and decode speed of the base, then of batches spread over adapters, through the same worker as {@code serve}. */
@Command(
        name = "bench",
        description = "Measures speed: one JSON line per case on standard output, a table on standard error.",
        mixinStandardHelpOptions = true)
final class BenchCommand implements Callable<Integer> {
    private static final String BASE = "base";

    @Mixin
    private WorkerFlags workerFlags = new WorkerFlags();

    @Mixin
    private AdapterFlags adapterFlags = new AdapterFlags();

    @Option(names = "--prompt", paramLabel = "N", description = "Tokens of each prompt; default: ${DEFAULT-VALUE}.")
    private int prompt = 512;

    @Option(names = "--gen", paramLabel = "N", description = "Tokens to generate; default: ${DEFAULT-VALUE}.")
    private int gen = 128;

    @Option(
            names = "--reps",
            paramLabel = "N",
            description = "Times each case is run, in turn; default: ${DEFAULT-VALUE}.")
    private int reps = 3;

    @Option(names = "--batch", paramLabel = "N", description = "Sequences at the same time; default: ${DEFAULT-VALUE}.")
    private int batch = 1;

    @Option(names = "--seed", paramLabel = "N", description = "Of the random prompts; default: ${DEFAULT-VALUE}.")
    private long seed = 42;

    @Option(
            names = "--distribution",
            split = ",",
            paramLabel = "CASE",
            description = "distinct, uniform, skewed, identical, mixed, idle; default: all of them.")
    private List<String> distributions = List.of();

    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Override
    public Integer call() throws JsonProcessingException {
        Map<String, Path> adapters = adapterFlags.adapters();
        List<Distribution> wanted = wanted(adapters);
        WorkerOptions options = options();
        PrintWriter table = spec.commandLine().getErr();
        try (Worker worker = WorkerFlags.open(options)) {
            WorkerStatus status = worker.status();
            checkLength(status.model().maxModelLen());
            table.printf(
                    "%s on %s: prompt %d, gen %d, batch %d, %d repetitions, seed %d%n",
                    status.model().name(), status.backend(), prompt, gen, batch, reps, seed);
            table.flush();
            List<BenchResult> results = run(worker, adapters, wanted);
            print(results, settings(worker.status(), options), table);
        }
        return 0;
    }

    private List<BenchResult> run(Worker worker, Map<String, Path> adapters, List<Distribution> wanted) {
        BenchRun run = new BenchRun(worker, prompt, gen, seed);
        Map<String, Path> slots = slots(adapters, wanted);
        List<Case> cases = cases(wanted, List.copyOf(slots.keySet()));
        List<Case> turns = new ArrayList<>(cases);
        long revision = 0;
        for (int rep = -1; rep < reps; rep++) { // the first round warms the code up and is thrown away
            Collections.shuffle(turns, new Random(seed + rep)); // no case always follows the same one
            for (Case turn : turns) {
                // The base is measured with no adapter in memory, the others with all of them.
                AdapterFlags.load(worker, ++revision, turn.name().equals(BASE) ? Map.of() : slots);
                Sample sample = run.measure(turn.rows());
                if (rep >= 0) {
                    turn.samples().add(sample);
                }
            }
        }
        return cases.stream()
                .map(measured -> new BenchResult(measured.name(), measured.samples()))
                .toList();
    }

    /** @param rows the adapter of each row, empty for none */
    private record Case(String name, List<String> rows, List<Sample> samples) {}

    /** Base first. */
    private List<Case> cases(List<Distribution> wanted, List<String> names) {
        List<Case> cases = new ArrayList<>();
        cases.add(new Case(BASE, Collections.nCopies(batch, ""), new ArrayList<>()));
        for (Distribution distribution : wanted) {
            List<String> rows = distribution.rows(batch).stream()
                    .map(row -> row == Distribution.BASE ? "" : names.get(row))
                    .toList();
            cases.add(new Case(distribution.label(), rows, new ArrayList<>()));
        }
        return cases;
    }

    /** As many adapters as the cases need, each with weights of its own; given ones are loaded again under further names. */
    private Map<String, Path> slots(Map<String, Path> adapters, List<Distribution> wanted) {
        int needed = wanted.stream()
                        .flatMap(distribution -> distribution.rows(batch).stream())
                        .mapToInt(Integer::intValue)
                        .max()
                        .orElse(0)
                + 1;
        List<Map.Entry<String, Path>> given = List.copyOf(adapters.entrySet());
        Map<String, Path> slots = new LinkedHashMap<>(adapters);
        for (int copy = given.size(); !given.isEmpty() && copy < needed; copy++) {
            var source = given.get(copy % given.size());
            slots.put(source.getKey() + "#" + (copy / given.size() + 1), source.getValue());
        }
        return slots;
    }

    private List<Distribution> wanted(Map<String, Path> adapters) {
        if (adapters.isEmpty() && !distributions.isEmpty()) {
            throw new ServiceException(INVALID_CONFIGURATION, "--distribution needs at least one --adapter NAME=DIR");
        }
        if (adapters.isEmpty()) {
            return List.of();
        }
        if (distributions.isEmpty()) {
            return List.of(Distribution.values());
        }
        return distributions.stream().map(BenchCommand::distribution).toList();
    }

    private static Distribution distribution(String name) {
        for (Distribution known : Distribution.values()) {
            if (known.label().equals(name)) {
                return known;
            }
        }
        throw new ServiceException(
                INVALID_CONFIGURATION,
                "--distribution must be distinct, uniform, skewed, identical, mixed or idle but is '" + name + "'");
    }

    private WorkerOptions options() {
        for (var bound : Map.of("--prompt", prompt, "--gen", gen, "--reps", reps, "--batch", batch)
                .entrySet()) {
            if (bound.getValue() < 1) {
                throw new ServiceException(
                        INVALID_CONFIGURATION, bound.getKey() + " must be at least 1 but is " + bound.getValue());
            }
        }
        WorkerOptions given = workerFlags.options();
        return new WorkerOptions(
                given.model(),
                given.tokenizer(),
                given.chatTemplate(),
                given.servedModelName(),
                given.kernels(),
                given.dtype(),
                given.threads(),
                given.maxModelLen(),
                Math.max(batch, given.maxNumSeqs()),
                given.maxNumBatchedTokens(),
                given.kvCacheBytes(),
                Math.max(2 * batch, given.maxWaiting()),
                given.adapterPolicy(),
                given.residency());
    }

    private void checkLength(int maxModelLen) {
        if (prompt + gen > maxModelLen) {
            throw new ServiceException(
                    INVALID_CONFIGURATION,
                    "--prompt " + prompt + " and --gen " + gen + " do not fit the model's " + maxModelLen + " tokens");
        }
    }

    private Map<String, Object> settings(WorkerStatus status, WorkerOptions options) {
        Map<String, Object> settings = new LinkedHashMap<>();
        settings.put("model", status.model().name());
        settings.put("backend", status.backend());
        settings.put(
                "threads", options.threads() == 0 ? Runtime.getRuntime().availableProcessors() : options.threads());
        settings.put("prompt", prompt);
        settings.put("gen", gen);
        settings.put("batch", batch);
        settings.put("reps", reps);
        settings.put("preemptions", status.engine().preemptionsTotal());
        return settings;
    }

    private void print(List<BenchResult> results, Map<String, Object> settings, PrintWriter table)
            throws JsonProcessingException {
        ObjectMapper json = new ObjectMapper();
        PrintWriter lines = spec.commandLine().getOut();
        BenchResult base = results.getFirst();
        table.printf(
                "%-10s %14s %14s %8s %9s %9s%n",
                "case", "prefill tok/s", "decode tok/s", "spread", "prefill×", "decode×");
        for (BenchResult result : results) {
            lines.println(json.writeValueAsString(result.json(settings, base)));
            table.printf(
                    "%-10s %14.1f %14.1f %7.1f%% %9.3f %9.3f%n",
                    result.name(),
                    result.prefill(),
                    result.decode(),
                    result.spread(),
                    result.ratioTo(base, Sample::prefill),
                    result.ratioTo(base, Sample::decode));
        }
        lines.flush();
        table.flush();
    }
}
