package dev.lory.registry;

import static dev.lory.error.ServiceException.invalid;

import dev.lory.error.ErrorCode;
import dev.lory.error.ServiceException;
import dev.lory.ordering.Ordering.PreloadAdapter;
import dev.lory.worker.AdapterKind;
import jakarta.enterprise.context.ApplicationScoped;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** Turns what an ordering file or a request calls a source into a folder. */
@ApplicationScoped
class AdapterSources {
    /** Before the digest of what was uploaded; a name of our own, so no path. */
    static final String UPLOAD = "upload:";

    /** The one spelling of an uploaded source, so that who compares sources compares folders. */
    private static final Pattern UPLOADED = Pattern.compile(UPLOAD + "[0-9a-f]{64}");

    private final Path root;
    private final Path uploads;

    AdapterSources(AdaptersConfig config) {
        root = config.adapters().root().toAbsolutePath().normalize();
        uploads = config.adapters().uploads().toAbsolutePath().normalize();
    }

    /** Where uploaded adapters lie. */
    Path uploads() {
        return uploads;
    }

    /** The folder of a source, relative ones from the root. */
    Path folder(String source) {
        try {
            if (source.startsWith(UPLOAD)) {
                return uploads.resolve(source.substring(UPLOAD.length())).normalize();
            }
            return root.resolve(source).normalize();
        } catch (InvalidPathException e) {
            throw invalid("source", "`" + source + "` is no path: " + e.getReason());
        }
    }

    /** What an ordering file means by {@code adapter_model_id}: a PEFT folder, or as in mistral.rs a folder that has one of the adapter's name. */
    String ofPreload(PreloadAdapter preload) {
        String source = preload.adapterModelId();
        Path folder = folder(source);
        boolean above = !AdapterKind.isAdapter(folder) && AdapterKind.isAdapter(folder(source + "/" + preload.name()));
        return above ? source + "/" + preload.name() : source;
    }

    /**
     * Refuses a client's source that leaves the root, also through symbolic links, its own or those of its files.
     *
     * @throws ServiceException {@code INVALID_REQUEST} naming it; not what lies outside
     */
    void requireInside(String source) {
        Path folder = folder(source);
        boolean upload = source.startsWith(UPLOAD);
        Path within = upload ? uploads : root;
        boolean spelled = !upload || UPLOADED.matcher(source).matches();
        try {
            Path real = Files.exists(within) ? within.toRealPath() : within;
            if (spelled
                    && folder.startsWith(within)
                    && existing(folder, within).startsWith(real)
                    && filesAreIn(folder, real)) {
                return;
            }
        } catch (IOException e) {
            throw invalid("source", "the adapter source `" + source + "` cannot be read");
        }
        throw invalid("source", "the adapter source `" + source + "` is outside the adapters root of this service");
    }

    /** Whether the root has a PEFT folder of this name. */
    boolean isInRoot(String name) {
        Path folder = folder(name);
        return root.equals(folder.getParent()) && AdapterKind.isAdapter(folder);
    }

    /** The PEFT folders directly in the root, sorted by name. */
    List<Path> found() {
        if (!Files.isDirectory(root)) {
            return List.of();
        }
        try (Stream<Path> children = Files.list(root)) {
            return children.filter(AdapterKind::isAdapter).sorted().toList();
        } catch (IOException e) {
            throw new ServiceException(
                    ErrorCode.INVALID_CONFIGURATION, "the adapters root " + root + " cannot be read", e);
        }
    }

    private static boolean filesAreIn(Path folder, Path root) throws IOException {
        if (!Files.isDirectory(folder)) {
            return true;
        }
        try (Stream<Path> files = Files.list(folder)) {
            for (Path file : files.filter(Files::isSymbolicLink).toList()) {
                if (Files.exists(file) && !file.toRealPath().startsWith(root)) {
                    return false;
                }
            }
            return true;
        }
    }

    /** The real path of the deepest part that exists; what does not exist is for the check to report. */
    private static Path existing(Path folder, Path root) throws IOException {
        Path at = folder;
        while (!Files.exists(at) && !at.equals(root)) {
            Path parent = at.getParent();
            if (parent == null) {
                break;
            }
            at = parent;
        }
        return Files.exists(at) ? at.toRealPath() : at;
    }
}
