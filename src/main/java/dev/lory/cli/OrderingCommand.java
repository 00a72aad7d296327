package dev.lory.cli;

import static dev.lory.error.ErrorCode.INVALID_CONFIGURATION;

import dev.lory.error.Finding;
import dev.lory.error.Finding.Severity;
import dev.lory.error.ServiceException;
import dev.lory.ordering.Ordering;
import dev.lory.ordering.Ordering.PreloadAdapter;
import dev.lory.ordering.OrderingDiff;
import dev.lory.ordering.OrderingDiff.Change;
import dev.lory.ordering.OrderingFile;
import dev.lory.ordering.OrderingGenerator;
import dev.lory.ordering.OrderingText;
import dev.lory.ordering.OrderingValidator;
import dev.lory.worker.ModelSites;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code lory ordering}: makes, changes and checks ordering files. What no flag says is asked for, on a terminal. */
@Command(
        name = "ordering",
        description = "Makes, changes and checks ordering files; on a terminal it asks for what no flag says.",
        synopsisSubcommandLabel = "COMMAND",
        mixinStandardHelpOptions = true)
final class OrderingCommand {
    private static final String STANDARD = "-";
    private static final String TO = "Where to write it; default: -, standard output.";
    private static final int DIFFERENT = 1;

    @Command(
            name = "create",
            description = {
                "Numbers the linears that adapters change, in the order in which transformers defines them.",
                "A config.json is enough: no weights are read."
            },
            mixinStandardHelpOptions = true)
    void create(
            @Option(
                            names = "--model",
                            paramLabel = "PATH",
                            description = "A config.json, its folder, or a .gguf file.",
                            defaultValue = "")
                    String model,
            @Option(
                            names = "--base-model-id",
                            paramLabel = "ID",
                            description = "What the adapters were trained for.",
                            defaultValue = "")
                    String baseModelId,
            @Option(
                            names = "--targets",
                            paramLabel = "LIST",
                            description = "PEFT's target_modules, with commas.",
                            defaultValue = "")
                    String targets,
            @Option(
                            names = "--adapters",
                            paramLabel = "LIST",
                            description = "Their names, as in training, with commas.",
                            defaultValue = "")
                    String adapters,
            @Option(
                            names = {"-o", "--output"},
                            paramLabel = "FILE",
                            defaultValue = STANDARD,
                            description = TO)
                    String output) {
        Path path = existing("--model", Prompt.ask("--model", model, "Enter the path of the base model: "));
        Ordering made = OrderingGenerator.generate(
                ModelSites.read(path),
                Prompt.ask("--base-model-id", baseModelId, "Enter the base model ID: "),
                Prompt.list("--targets", targets, "Enter the target modules as a comma delimited list: "),
                Prompt.list(
                        "--adapters",
                        adapters,
                        "Enter a comma delimited list of adapter names as they were specified when training: "));
        write(output, OrderingText.write(made));
    }

    @Command(name = "set-names", description = "Replaces order, the adapters' names.", mixinStandardHelpOptions = true)
    void setNames(
            @Parameters(paramLabel = "FILE", description = "An ordering file.") Path file,
            @Option(
                            names = "--adapters",
                            paramLabel = "LIST",
                            description = "As in training, with commas.",
                            defaultValue = "")
                    String adapters,
            @Option(
                            names = {"-o", "--output"},
                            paramLabel = "FILE",
                            defaultValue = STANDARD,
                            description = TO)
                    String output) {
        List<String> names = Prompt.list("--adapters", adapters, "Enter a comma delimited list of adapter names: ");
        write(output, OrderingText.withOrder(read(file), names));
    }

    @Command(
            name = "add-preload",
            description = "Replaces preload_adapters: what is loaded and not activated.",
            mixinStandardHelpOptions = true)
    void addPreload(
            @Parameters(paramLabel = "FILE", description = "An ordering file.") Path file,
            @Option(names = "--adapters", paramLabel = "LIST", description = "Names, with commas.", defaultValue = "")
                    String adapters,
            @Option(
                            names = "--adapter-model-id",
                            paramLabel = "ID",
                            description = "Where they are: ID/NAME below the adapters root.",
                            defaultValue = "")
                    String adapterModelId,
            @Option(
                            names = {"-o", "--output"},
                            paramLabel = "FILE",
                            defaultValue = STANDARD,
                            description = TO)
                    String output) {
        List<String> names =
                Prompt.list("--adapters", adapters, "Enter a comma delimited list of adapter names to preload: ");
        String from = Prompt.ask(
                "--adapter-model-id", adapterModelId, "Enter the model id where the preload adapters will be loaded: ");
        List<PreloadAdapter> preload =
                names.stream().map(name -> new PreloadAdapter(name, from)).toList();
        write(output, OrderingText.withPreloadAdapters(read(file), preload));
    }

    @Command(
            name = "validate",
            description = "Says all that is wrong with an ordering file; exit code 2 if it cannot be used.",
            mixinStandardHelpOptions = true)
    int validate(
            @Parameters(paramLabel = "FILE", description = "An ordering file.") Path file,
            @Option(
                            names = "--model",
                            paramLabel = "PATH",
                            description = "Also hold it against this model.",
                            defaultValue = "")
                    String model,
            @Option(
                            names = "--base-model-id",
                            paramLabel = "ID",
                            description = "What the served model is called.",
                            defaultValue = "")
                    String baseModelId) {
        List<Finding> findings = OrderingFile.findings(read(file));
        if (findings.isEmpty() && !model.isEmpty()) {
            Ordering ordering = OrderingFile.parse(read(file));
            findings = OrderingValidator.validate(
                    ordering,
                    ModelSites.read(existing("--model", model)),
                    baseModelId.isEmpty() ? ordering.baseModelId() : baseModelId);
        }
        findings.forEach(finding -> System.out.println(
                finding.severity() + " " + (finding.path().isEmpty() ? "" : finding.path() + ": ") + finding.detail()));
        return findings.stream().anyMatch(finding -> finding.severity() == Severity.ERROR) ? Lory.USAGE : 0;
    }

    @Command(
            name = "diff",
            description = "Says what differs between two ordering files; exit code 1 if anything does.",
            mixinStandardHelpOptions = true)
    int diff(
            @Parameters(paramLabel = "BEFORE", description = "An ordering file.") Path before,
            @Parameters(paramLabel = "AFTER", description = "An ordering file.") Path after) {
        List<Change> changes = OrderingDiff.between(OrderingFile.parse(read(before)), OrderingFile.parse(read(after)));
        for (Change change : changes) {
            System.out.println(change.path() + ": " + shown(change.before()) + " -> " + shown(change.after()));
        }
        return changes.isEmpty() ? 0 : DIFFERENT;
    }

    private static String shown(String value) {
        return value.isEmpty() ? "nothing" : value;
    }

    private static Path existing(String flag, String path) {
        return WorkerFlags.existing(flag, Path.of(path));
    }

    private static byte[] read(Path file) {
        try {
            return Files.readAllBytes(file);
        } catch (IOException e) {
            throw new ServiceException(INVALID_CONFIGURATION, file + " cannot be read: " + e, e);
        }
    }

    private static void write(String output, byte[] file) {
        try {
            if (output.equals(STANDARD)) {
                System.out.write(file);
                System.out.println();
            } else {
                Files.write(Path.of(output), file);
            }
        } catch (IOException e) {
            throw new ServiceException(INVALID_CONFIGURATION, "--output " + output + " cannot be written: " + e, e);
        }
    }
}
