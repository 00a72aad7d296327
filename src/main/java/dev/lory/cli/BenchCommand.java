package dev.lory.cli;

import static dev.lory.error.ErrorCode.INVALID_CONFIGURATION;

import com.fasterxml.jackson.core.JsonProcessingException;
import dev.lory.cli.BenchCases.Case;
import dev.lory.cli.BenchRun.Sample;
import dev.lory.error.ServiceException;
import dev.lory.worker.Roofline;
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
            description =
                    "distinct, uniform, skewed, identical, mixed, idle, with an X-LoRA also sum, xlora, frozen, beside; default: all of them.")
    private List<String> distributions = List.of();

    @Option(
            names = "--compare",
            paramLabel = "COMMAND",
            description =
                    "A shell command that measures another program, run once in each repetition: {model}, {threads}, {prompt} and {gen} are filled in, its last line is JSON with prefill_tok_s, decode_tok_s and, if it likes, engine.")
    private List<String> peers = List.of();

    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Override
    public Integer call() throws JsonProcessingException {
        Map<String, Path> adapters = adapterFlags.adapters();
        BenchCases cases = new BenchCases(adapters, distributions, batch);
        WorkerOptions options = options();
        PrintWriter table = spec.commandLine().getErr();
        try (Worker worker = WorkerFlags.open(options)) {
            WorkerStatus status = worker.status();
            checkLength(status.model().maxModelLen());
            table.printf(
                    "%s on %s: prompt %d, gen %d, batch %d, %d repetitions, seed %d%n",
                    status.model().name(), status.backend(), prompt, gen, batch, reps, seed);
            table.flush();
            Roofline before = worker.roofline();
            List<BenchPeer> compared = peers(options);
            List<BenchResult> results = run(worker, cases, compared);
            new BenchReport(
                            results,
                            compared.stream().map(BenchPeer::result).toList(),
                            before.best(worker.roofline()),
                            settings(worker.status(), options))
                    .print(spec.commandLine().getOut(), table);
        }
        return 0;
    }

    private List<BenchPeer> peers(WorkerOptions options) {
        Map<String, Object> filled =
                Map.of("model", options.model(), "threads", threads(options), "prompt", prompt, "gen", gen);
        return peers.stream().map(command -> new BenchPeer(command, filled)).toList();
    }

    private List<BenchResult> run(Worker worker, BenchCases wanted, List<BenchPeer> compared) {
        BenchRun run = new BenchRun(worker, prompt, gen, seed);
        List<Case> cases = wanted.cases();
        List<Case> turns = new ArrayList<>(cases);
        long revision = 0;
        for (int rep = -1; rep < reps; rep++) { // the first round warms the code up and is thrown away
            Collections.shuffle(turns, new Random(seed + rep)); // no case always follows the same one
            for (Case turn : turns) {
                // The base is measured with no adapter in memory, the others with all of them.
                AdapterFlags.load(worker, ++revision, turn.isBase() ? Map.of() : wanted.slots());
                Sample sample = run.measure(turn.rows());
                if (rep >= 0) {
                    turn.samples().add(sample);
                }
            }
            if (rep >= 0) {
                compared.forEach(BenchPeer::measure);
            }
        }
        return cases.stream()
                .map(measured -> new BenchResult(measured.name(), measured.samples()))
                .toList();
    }

    private WorkerOptions options() {
        for (var bound : Map.of("--prompt", prompt, "--gen", gen, "--reps", reps, "--batch", batch)
                .entrySet()) {
            if (bound.getValue() < 1) {
                throw new ServiceException(
                        INVALID_CONFIGURATION, bound.getKey() + " must be at least 1 but is " + bound.getValue());
            }
        }
        WorkerOptions given = workerFlags.forThroughput().options();
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
                given.maxStepMillis(),
                given.kvCacheBytes(),
                Math.max(2 * batch, given.maxWaiting()),
                given.adapterPolicy(),
                given.xloraPolicy(),
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
        settings.put("threads", threads(options));
        settings.put("prompt", prompt);
        settings.put("gen", gen);
        settings.put("batch", batch);
        settings.put("reps", reps);
        settings.put("preemptions", status.engine().preemptionsTotal());
        return settings;
    }

    private static int threads(WorkerOptions options) {
        return options.threads() == 0 ? Runtime.getRuntime().availableProcessors() : options.threads();
    }
}
