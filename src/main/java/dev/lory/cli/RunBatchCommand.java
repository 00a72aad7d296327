package dev.lory.cli;

import dev.lory.api.Statuses;
import dev.lory.api.openai.OpenAiAnswers;
import dev.lory.api.openai.OpenAiError;
import dev.lory.api.openai.Served;
import dev.lory.error.ServiceException;
import dev.lory.worker.Worker;
import dev.lory.worker.WorkerOptions;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
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
    @Mixin
    private WorkerFlags workerFlags = new WorkerFlags();

    @Mixin
    private AdapterFlags adapterFlags = new AdapterFlags();

    @Mixin
    private InputOutput files = new InputOutput();

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
        WorkerOptions options = workerFlags.forThroughput().options();
        files.check();
        int total = files.countLines();
        try (Worker worker = WorkerFlags.open(options)) {
            AdapterFlags.load(worker, 1, adapters);
            Progress progress = new Progress(spec.commandLine().getErr(), Settings.onTerminal(), total);
            // Twice as many as run, so that the next is waiting when one ends.
            Batch batch = new Batch(protocol(worker), 2 * options.maxNumSeqs(), progress);
            files.run((lines, answers) -> batch.run(lines.lines().iterator(), answers));
            progress.finish();
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
}
