package dev.lory.cli;

import static dev.lory.error.ErrorCode.INTERNAL;
import static dev.lory.error.ErrorCode.INVALID_CONFIGURATION;

import com.fasterxml.jackson.databind.JsonNode;
import dev.lory.api.Statuses;
import dev.lory.api.openai.OpenAiAnswers;
import dev.lory.api.openai.OpenAiError;
import dev.lory.api.openai.Served;
import dev.lory.error.ServiceException;
import dev.lory.worker.Worker;
import dev.lory.worker.WorkerOptions;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStreamWriter;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code lory run-batch}: an OpenAI batch file through the engine, without server or database. */
@Command(
        name = "run-batch",
        description = "Answers an OpenAI batch file offline; each line names its adapters as a request does.",
        mixinStandardHelpOptions = true)
final class RunBatchCommand implements Callable<Integer> {
    private static final String STANDARD = "-";

    @Mixin
    private WorkerFlags workerFlags = new WorkerFlags();

    @Mixin
    private AdapterFlags adapterFlags = new AdapterFlags();

    @Option(
            names = {"-i", "--input-file"},
            paramLabel = "FILE",
            required = true,
            description = "Requests, one JSON object a line; - = standard input.")
    private String input = "";

    @Option(
            names = {"-o", "--output-file"},
            paramLabel = "FILE",
            required = true,
            description = "Answers, in the order of the requests; - = standard output.")
    private String output = "";

    @Option(
            names = "--max-logprobs",
            paramLabel = "N",
            description = "A request may ask for; -1 = the whole vocabulary; default: ${DEFAULT-VALUE}.")
    private int maxLogprobs = 20;

    @Spec
    private CommandSpec spec = CommandSpec.create();

    /** @return 0 if every line was answered, else 1: the output says which was not, and why */
    @Override
    public Integer call() throws InterruptedException {
        WorkerOptions options = workerFlags.options();
        var adapters = adapterFlags.adapters();
        // Before the model is loaded: a path that cannot be used is told at once.
        try (BufferedReader requests = reader();
                Writer answers = writer();
                Worker worker = WorkerFlags.open(options)) {
            AdapterFlags.load(worker, 1, adapters);
            Served served = Served.of(worker.status(), List.of(), maxLogprobs);
            Progress progress = new Progress(spec.commandLine().getErr(), System.console() != null, lines());
            Batch batch = new Batch(
                    (url, body, id) -> answer(url, body, worker, served, id), 2 * options.maxNumSeqs(), progress);
            int failures = batch.run(requests.lines().iterator(), answers);
            progress.finish();
            return failures == 0 ? 0 : 1;
        } catch (IOException e) {
            throw new ServiceException(INVALID_CONFIGURATION, "the batch cannot be read or written: " + e, e);
        }
    }

    private static Batch.Answer answer(String url, JsonNode body, Worker worker, Served served, String id) {
        try {
            return new Batch.Answer(200, OpenAiAnswers.answer(url, body, worker, served, id));
        } catch (ServiceException e) {
            return new Batch.Answer(Statuses.of(e.code()), OpenAiError.json(e, Statuses.of(e.code())));
        } catch (RuntimeException e) {
            ServiceException defect = new ServiceException(INTERNAL, "the request failed: " + e, e);
            return new Batch.Answer(500, OpenAiError.json(defect, 500));
        }
    }

    private BufferedReader reader() throws IOException {
        if (input.equals(STANDARD)) {
            return new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        }
        return Files.newBufferedReader(WorkerFlags.existing("--input-file", Path.of(input)));
    }

    private Writer writer() throws IOException {
        return output.equals(STANDARD)
                ? new OutputStreamWriter(System.out, StandardCharsets.UTF_8)
                : Files.newBufferedWriter(Path.of(output));
    }

    /** How many requests there are; 0 if that cannot be known beforehand. */
    private int lines() throws IOException {
        if (input.equals(STANDARD)) {
            return 0;
        }
        try (Stream<String> all = Files.lines(Path.of(input))) {
            return (int) all.filter(line -> !line.isBlank()).count();
        }
    }
}
