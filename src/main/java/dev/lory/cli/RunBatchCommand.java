package dev.lory.cli;

import static dev.lory.error.ErrorCode.INVALID_CONFIGURATION;

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
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code lory run-batch}: the requests of an OpenAI batch file through the engine, without server and database. */
@Command(
        name = "run-batch",
        description = "Answers an OpenAI batch file (custom_id, method, url, body on each line) without a server.",
        mixinStandardHelpOptions = true)
final class RunBatchCommand implements Callable<Integer> {
    private static final String STANDARD = "-";

    @Mixin
    private WorkerFlags workerFlags = new WorkerFlags();

    @Mixin
    private AdapterFlags adapterFlags = new AdapterFlags();

    @Option(
            names = {"-i", "--input"},
            paramLabel = "FILE",
            description = "JSON lines; default: -, standard input.")
    private String input = STANDARD;

    @Option(
            names = {"-o", "--output"},
            paramLabel = "FILE",
            description = "JSON lines, in the order of the input; default: -, standard output.")
    private String output = STANDARD;

    @Option(
            names = "--max-logprobs",
            paramLabel = "N",
            description = "A request may ask for; -1 = the whole vocabulary; default: ${DEFAULT-VALUE}.")
    private int maxLogprobs = 20;

    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Override
    public Integer call() throws InterruptedException {
        Map<String, Path> adapters = adapterFlags.adapters();
        WorkerOptions options = workerFlags.options();
        int total = countLines();
        checkOutput();
        try (Worker worker = WorkerFlags.open(options)) {
            AdapterFlags.load(worker, 1, adapters);
            Progress progress = new Progress(spec.commandLine().getErr(), Settings.onTerminal(), total);
            // Twice as many as run, so that the next is waiting when one ends.
            Batch batch = new Batch(protocol(worker), 2 * options.maxNumSeqs(), progress);
            try (BufferedReader lines = reader();
                    Writer answers = writer()) {
                batch.run(lines.lines().iterator(), answers);
            }
            progress.finish();
        } catch (IOException e) {
            throw new ServiceException(
                    INVALID_CONFIGURATION, "cannot read " + input + " or write " + output + ": " + e, e);
        }
        return 0;
    }

    /** The server's own protocol, with no set active for requests that name none. */
    private Batch.Protocol protocol(Worker worker) {
        Served served = Served.of(worker.status(), List.of(), maxLogprobs);
        return (url, body, id) -> {
            try {
                return new Batch.Answer(200, OpenAiAnswers.answer(url, body, worker, served, id));
            } catch (ServiceException e) {
                int status = Statuses.of(e.code());
                return new Batch.Answer(status, OpenAiError.json(e, status));
            }
        };
    }

    /** For the progress bar; 0 where it would take reading standard input. */
    private int countLines() {
        if (input.equals(STANDARD)) {
            return 0;
        }
        Path file = WorkerFlags.existing("--input", Path.of(input));
        try (Stream<String> lines = Files.lines(file)) {
            return (int) lines.filter(line -> !line.isBlank()).count();
        } catch (IOException | java.io.UncheckedIOException e) {
            throw new ServiceException(
                    INVALID_CONFIGURATION, "--input " + file + " cannot be read as UTF-8 text: " + e, e);
        }
    }

    private void checkOutput() {
        if (output.equals(STANDARD)) {
            return;
        }
        Path file = Path.of(output).toAbsolutePath();
        Path folder = file.getParent();
        if (folder == null || !Files.isDirectory(folder)) {
            throw new ServiceException(INVALID_CONFIGURATION, "the folder of --output " + output + " does not exist");
        }
        try {
            if (!input.equals(STANDARD) && Files.exists(file) && Files.isSameFile(file, Path.of(input))) {
                throw new ServiceException(
                        INVALID_CONFIGURATION, "--output " + output + " is the input, which would be lost");
            }
        } catch (IOException e) {
            throw new ServiceException(INVALID_CONFIGURATION, "--output " + output + " cannot be used: " + e, e);
        }
    }

    private BufferedReader reader() throws IOException {
        return input.equals(STANDARD)
                ? new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8))
                : Files.newBufferedReader(Path.of(input));
    }

    private Writer writer() throws IOException {
        return output.equals(STANDARD)
                ? new OutputStreamWriter(System.out, StandardCharsets.UTF_8)
                : Files.newBufferedWriter(Path.of(output));
    }
}
