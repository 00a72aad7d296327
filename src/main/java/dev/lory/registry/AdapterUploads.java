package dev.lory.registry;

import static dev.lory.error.ServiceException.invalid;

import dev.lory.adapter.AdapterReport;
import dev.lory.error.ErrorCode;
import dev.lory.error.ServiceException;
import io.quarkus.runtime.StartupEvent;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.function.Function;
import java.util.stream.Stream;
import org.jboss.logging.Logger;

/**
 * Adapters that came over HTTP, each in a folder named by its digest below {@code lory.adapters.uploads}. A folder appears there whole or not
 * at all: files wait in one whose name begins with a dot until they were found usable.
 */
@ApplicationScoped
class AdapterUploads {
    private static final Logger LOG = Logger.getLogger(AdapterUploads.class);
    private static final String INCOMING = ".incoming-";
    /** Older ones were left by a service that was killed, and not by one that is still receiving. */
    private static final Duration ABANDONED = Duration.ofHours(6);

    private static final List<String> FILES =
            List.of("adapter_config.json", "adapter_model.safetensors", "adapter.sig");

    private final AdapterSources sources;

    AdapterUploads(AdapterSources sources) {
        this.sources = sources;
    }

    /** What a check says, and under which source the files are kept; empty if they are not. */
    record Kept(AdapterReport report, String source) {}

    /** Writes the files of an adapter into a folder. */
    @FunctionalInterface
    interface Content {
        void writeTo(Path folder) throws IOException;
    }

    /**
     * Checks files, and keeps them if they are usable.
     *
     * @param files by name; moved from where they are
     * @param keeps false = check only
     * @throws ServiceException {@code INVALID_REQUEST} naming a file that has no place in an adapter
     */
    Kept receive(Map<String, Path> files, Function<Path, AdapterReport> check, boolean keeps) {
        files.keySet().stream()
                .filter(name -> !FILES.contains(name))
                .findFirst()
                .ifPresent(name -> {
                    throw invalid(
                            "files", "the file `" + name + "` has no place in an adapter; its files are " + FILES);
                });
        Content moved = folder -> {
            for (Map.Entry<String, Path> file : files.entrySet()) {
                Files.move(file.getValue(), folder.resolve(file.getKey()));
            }
        };
        return receive(moved, check, keeps);
    }

    /** As {@link #receive(Map, Function, boolean)}, of what is written where it is asked for. */
    Kept receive(Content content, Function<Path, AdapterReport> check, boolean keeps) {
        Path incoming = sources.uploads().resolve(INCOMING + UUID.randomUUID());
        try {
            Files.createDirectories(incoming);
            content.writeTo(incoming);
            AdapterReport report = check.apply(incoming);
            if (!report.usable() || !keeps) {
                return new Kept(report, "");
            }
            keep(incoming, sources.uploads().resolve(report.digest()));
            return new Kept(report, AdapterSources.UPLOAD + report.digest());
        } catch (IOException e) {
            throw new ServiceException(
                    ErrorCode.UNAVAILABLE, "the adapter cannot be kept: " + ServiceException.reason(e), e);
        } finally {
            delete(incoming);
        }
    }

    private static void keep(Path incoming, Path folder) throws IOException {
        try {
            Files.move(incoming, folder, StandardCopyOption.ATOMIC_MOVE);
        } catch (FileAlreadyExistsException e) {
            LOG.debugf("the same files are there: %s", e.getMessage());
        } catch (IOException e) {
            if (!Files.isDirectory(folder)) {
                throw e; // a folder that is not empty is not replaced: the same files are there
            }
        }
    }

    /** Gives the disk space of a source back that nobody names any more. */
    void discard(String source) {
        if (source.startsWith(AdapterSources.UPLOAD)) {
            delete(sources.folder(source));
        }
    }

    void tidy(@Observes StartupEvent event) {
        if (!Files.isDirectory(sources.uploads())) {
            return;
        }
        try (Stream<Path> children = Files.list(sources.uploads())) {
            Instant old = Instant.now().minus(ABANDONED);
            for (Path child : children.toList()) {
                boolean incoming = child.getFileName().toString().startsWith(INCOMING);
                if (incoming && Files.getLastModifiedTime(child).toInstant().isBefore(old)) {
                    delete(child);
                }
            }
        } catch (IOException e) {
            LOG.warnf("%s cannot be tidied: %s", sources.uploads(), ServiceException.reason(e));
        }
    }

    private static void delete(Path folder) {
        if (!Files.exists(folder)) {
            return;
        }
        try (Stream<Path> files = Files.list(folder)) {
            for (Path file : files.toList()) {
                Files.delete(file);
            }
            Files.delete(folder);
        } catch (IOException e) {
            LOG.warnf("%s cannot be deleted: %s", folder, ServiceException.reason(e));
        }
    }
}
