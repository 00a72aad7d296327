package dev.lory.xlora;

import static dev.lory.error.ErrorCode.INVALID_ADAPTER;

import dev.lory.adapter.AdapterPolicy;
import dev.lory.adapter.AdapterReport;
import dev.lory.adapter.LoraWeights;
import dev.lory.adapter.PeftFolder;
import dev.lory.digest.Sha256;
import dev.lory.error.ErrorCode;
import dev.lory.error.Finding;
import dev.lory.error.ServiceException;
import dev.lory.model.Decoder;
import dev.lory.ordering.Ordering;
import dev.lory.ordering.OrderingFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Stream;

/**
 * A folder with an X-LoRA, as the {@code xlora} package or PEFT saves it, its adapters in folders of their own: below it by their names, in
 * {@code adapters/}, or where its configuration says, if that is beside it. The ordering file says which adapter is which class of the
 * classifier, and which linear which site; it is {@value #ORDERING} in the folder, or beside it, or the one of the {@link XLoraPolicy}.
 */
public final class XLoraPackage {
    /** The name of the ordering file. */
    public static final String ORDERING = "ordering.json";

    private static final long MAX_ORDERING_BYTES = 16 << 20;

    private final Path folder;
    private final AdapterPolicy policy;
    private final XLoraPolicy xlora;
    private final List<Finding> findings = new ArrayList<>();

    /** Nothing is read yet. */
    public XLoraPackage(Path folder, AdapterPolicy policy, XLoraPolicy xlora) {
        this.folder = folder;
        this.policy = policy;
        this.xlora = xlora;
    }

    /** Whether a folder is an X-LoRA package, rather than an adapter. */
    public static boolean isIn(Path folder) {
        return XLoraConfig.isIn(folder);
    }

    /** Of {@link #load}, whether it succeeded or not. */
    public List<Finding> findings() {
        return List.copyOf(findings);
    }

    /**
     * Puts the X-LoRA on the device.
     *
     * @throws ServiceException {@code INVALID_ADAPTER} with all findings as member {@code findings}
     */
    public XLoraWeights load(Decoder base, ClassifierMemory memory) {
        Optional<XLoraConfig> config = attempt("", () -> XLoraConfig.read(folder));
        Optional<Ordering> ordering = attempt(ORDERING, this::ordering).flatMap(Function.identity());
        if (config.isEmpty() || ordering.isEmpty()) {
            throw refused();
        }
        XLoraParts parts = new XLoraParts(config.get(), ordering.get(), base, xlora.anyBase(), findings);
        List<LoraWeights> experts = new ArrayList<>();
        try {
            List<PeftFolder> folders = folders(config.get(), ordering.get());
            if (!hasErrors()) {
                checkClaims(ordering.get(), folders);
            }
            for (PeftFolder expert : folders) {
                attempt("order", () -> expert.load(base, memory.backend())).ifPresent(experts::add);
            }
            parts.check(experts);
            Optional<XLoraClassifier> classifier =
                    attempt("", () -> parts.classifier(folder.resolve(parts.classifierFile()), memory));
            if (hasErrors()) {
                classifier.ifPresent(XLoraClassifier::close);
                throw refused();
            }
            return new XLoraWeights(
                    digest(parts, experts),
                    ordering.get().order(),
                    experts,
                    parts.changed(experts),
                    classifier.orElseThrow(),
                    config.get().settings());
        } catch (RuntimeException e) {
            experts.forEach(LoraWeights::close);
            throw e;
        }
    }

    /** Everything there is to say about it; it does not stay on the device. */
    public AdapterReport check(Decoder base, ClassifierMemory memory) {
        String digest = "";
        int rank = 0;
        try (XLoraWeights weights = load(base, memory)) {
            digest = weights.digest();
            rank = weights.rank();
        } catch (ServiceException e) {
            if (e.code() != INVALID_ADAPTER) {
                throw e;
            }
        }
        return new AdapterReport(
                !digest.isEmpty(),
                digest,
                files(),
                rank,
                List.of(),
                findings.stream().map(this::brief).toList());
    }

    private List<AdapterReport.File> files() {
        List<AdapterReport.File> files = new ArrayList<>();
        for (String name : List.of(XLoraConfig.XLORA, XLoraConfig.PEFT, XLoraParts.OWN, XLoraParts.PEFT, ORDERING)) {
            Path file = folder.resolve(name);
            try {
                if (Files.isRegularFile(file)) {
                    files.add(new AdapterReport.File(name, Files.size(file), Sha256.hex(file)));
                }
            } catch (IOException e) {
                findings.add(Finding.error(name, "cannot be read: " + ServiceException.reason(e)));
            }
        }
        return files;
    }

    /** Without the folder, which who asks has named. */
    private Finding brief(Finding finding) {
        String detail = finding.detail().replace(folder + "/", "").replace(folder.toString(), "the folder");
        return new Finding(finding.severity(), finding.path(), detail);
    }

    private List<PeftFolder> folders(XLoraConfig config, Ordering ordering) {
        List<PeftFolder> folders = new ArrayList<>();
        for (String name : ordering.order()) {
            attempt("order", () -> expert(config, name)).ifPresent(folders::add);
        }
        return folders;
    }

    /** What the adapters say of themselves, in mistral.rs' words where it has some. */
    private void checkClaims(Ordering ordering, List<PeftFolder> folders) {
        for (int i = 0; i < folders.size(); i++) {
            PeftFolder expert = folders.get(i);
            String path = "order[" + i + "]";
            String name = ordering.order().get(i);
            attempt(path, expert::isDora)
                    .filter(Boolean::booleanValue)
                    .ifPresent(dora ->
                            findings.add(Finding.error(path, name + ": X-LoRA does not support adapters with DoRA")));
            attempt(path, () -> expert.targetsSameAs(folders.getFirst()))
                    .filter(same -> !same)
                    .ifPresent(differs ->
                            findings.add(Finding.error(path, name + ": Expected all target modules to be the same.")));
        }
    }

    private <T> Optional<T> attempt(String path, Supplier<T> part) {
        try {
            return Optional.of(part.get());
        } catch (ServiceException e) {
            if (e.code().kind() != ErrorCode.Kind.USER) {
                throw e;
            }
            findings.add(Finding.error(path, e.detail()));
            return Optional.empty();
        }
    }

    private boolean hasErrors() {
        return findings.stream().anyMatch(XLoraPackage::isError);
    }

    private static boolean isError(Finding finding) {
        return finding.severity() == Finding.Severity.ERROR;
    }

    private ServiceException refused() {
        try {
            Finding.refuseErrors(INVALID_ADAPTER, "the X-LoRA", findings);
        } catch (ServiceException e) {
            return e;
        }
        throw new AssertionError("nothing was found");
    }

    /** Empty if there are findings. */
    private Optional<Ordering> ordering() {
        Path found = orderingFile();
        try {
            if (!Files.isRegularFile(found) || Files.size(found) > MAX_ORDERING_BYTES) {
                throw new ServiceException(
                        INVALID_ADAPTER,
                        folder + " has no " + ORDERING
                                + ", which says what the classes and sites of its classifier are");
            }
            byte[] content = Files.readAllBytes(found);
            List<Finding> wrong = OrderingFile.findings(content);
            findings.addAll(wrong);
            return wrong.stream().anyMatch(XLoraPackage::isError)
                    ? Optional.empty()
                    : Optional.of(OrderingFile.parse(content));
        } catch (IOException e) {
            throw new ServiceException(INVALID_ADAPTER, found + " cannot be read: " + ServiceException.reason(e));
        }
    }

    private Path orderingFile() {
        return hasOrdering(folder) || xlora.ordering().isEmpty() ? own(folder) : Path.of(xlora.ordering());
    }

    /** Whether a package brings its ordering file. */
    public static boolean hasOrdering(Path folder) {
        return Files.isRegularFile(own(folder));
    }

    private static Path own(Path folder) {
        Path inside = folder.resolve(ORDERING);
        return Files.isRegularFile(inside) ? inside : folder.resolveSibling(ORDERING);
    }

    private PeftFolder expert(XLoraConfig config, String name) {
        String said = config.adapters().getOrDefault(name, name);
        for (String place : List.of(name, "adapters/" + name, said)) {
            Path candidate = folder.resolve(place).normalize();
            if (Files.isDirectory(candidate) && isNear(candidate)) {
                return new PeftFolder(candidate, policy);
            }
        }
        throw new ServiceException(
                INVALID_ADAPTER,
                "adapter " + name + " has no folder: neither " + name + ", adapters/" + name + " nor " + said);
    }

    /** In the package or beside it, so that a package cannot name any file of the machine. */
    private boolean isNear(Path candidate) {
        try {
            Path around = folder.toRealPath().getParent();
            if (around == null || !candidate.toRealPath().startsWith(around)) {
                return false;
            }
            try (Stream<Path> files = Files.list(candidate)) {
                for (Path file : files.toList()) {
                    if (!file.toRealPath().startsWith(around)) {
                        return false;
                    }
                }
            }
            return true;
        } catch (IOException e) {
            return false;
        }
    }

    private String digest(XLoraParts parts, List<LoraWeights> experts) {
        try {
            StringBuilder text = new StringBuilder(Sha256.hex(parts.config().file()))
                    .append(Sha256.hex(folder.resolve(parts.classifierFile())))
                    .append(parts.ordering().order())
                    .append(parts.ordering().layers());
            experts.forEach(expert -> text.append(expert.digest()));
            return Sha256.hex(text.toString());
        } catch (IOException e) {
            throw new ServiceException(INVALID_ADAPTER, folder + " cannot be read: " + ServiceException.reason(e));
        }
    }
}
