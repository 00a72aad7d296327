package dev.lory.cli;

import static dev.lory.error.ErrorCode.INVALID_ADAPTER;
import static dev.lory.error.ErrorCode.INVALID_CONFIGURATION;

import dev.lory.error.ServiceException;
import dev.lory.worker.AdapterKind;
import dev.lory.worker.DesiredState;
import dev.lory.worker.DesiredState.DesiredAdapter;
import dev.lory.worker.Worker;
import dev.lory.worker.WorkerStatus.AdapterStatus;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** The flags that name adapters; the same for every command that runs a model. */
final class AdapterFlags {
    @Option(
            names = {"--adapter", "-x", "--xlora"},
            paramLabel = "NAME=DIR",
            description = "A PEFT adapter or an X-LoRA and what to call it; repeatable.")
    private List<String> named = List.of();

    @Option(
            names = {"-a", "--adapters"},
            paramLabel = "DIR",
            description = "A folder whose sub-folders are PEFT adapters; a server lets clients name paths below it.")
    private @Nullable Path root;

    /**
     * The adapters by name, those of {@code --adapter} first, with absolute paths.
     *
     * @throws ServiceException {@code INVALID_CONFIGURATION} for a malformed value, a name given twice or a folder that is not there
     */
    Map<String, Path> adapters() {
        Map<String, Path> found = new LinkedHashMap<>(named());
        if (root != null) {
            for (Path folder : adapterFolders(WorkerFlags.existing("--adapters", root))) {
                found.putIfAbsent(folder.getFileName().toString(), folder);
            }
        }
        return found;
    }

    /** Those of {@code --adapter} only. */
    Map<String, Path> named() {
        Map<String, Path> found = new LinkedHashMap<>();
        for (String values : named) {
            // One variable may hold several: a comma before NAME= separates, any other belongs to a path.
            for (String value : values.split(",(?=[^,=/]+=)", -1)) {
                int equals = value.indexOf('=');
                if (equals < 1 || equals == value.length() - 1) {
                    throw new ServiceException(
                            INVALID_CONFIGURATION, "--adapter takes NAME=DIR but is '" + value + "'");
                }
                String name = value.substring(0, equals);
                Path path = WorkerFlags.existing("--adapter " + name + ":", Path.of(value.substring(equals + 1)));
                if (found.put(name, path) != null) {
                    throw new ServiceException(INVALID_CONFIGURATION, "--adapter names '" + name + "' twice");
                }
            }
        }
        return found;
    }

    /** The folder of {@code --adapters}, or the given one. */
    Path rootOr(Path other) {
        return root == null ? other : WorkerFlags.existing("--adapters", root);
    }

    /**
     * Has a worker load the adapters.
     *
     * @throws ServiceException {@code INVALID_ADAPTER} with the reason of the first that failed
     */
    static void load(Worker worker, long revision, Map<String, Path> adapters) {
        List<DesiredAdapter> wanted = new ArrayList<>();
        adapters.forEach((name, path) -> wanted.add(new DesiredAdapter(name, path.toString())));
        for (AdapterStatus adapter :
                worker.apply(new DesiredState(revision, wanted)).adapters()) {
            if (adapter.state() == AdapterStatus.State.FAILED) {
                throw new ServiceException(
                        INVALID_ADAPTER, "the adapter " + adapter.name() + " cannot be used: " + adapter.reason());
            }
        }
    }

    private static List<Path> adapterFolders(Path folder) {
        try (Stream<Path> children = Files.list(folder)) {
            return children.filter(AdapterKind::isAdapter).sorted().toList();
        } catch (IOException e) {
            throw new UncheckedIOException("cannot list --adapters " + folder, e);
        }
    }
}
