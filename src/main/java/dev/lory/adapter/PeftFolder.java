package dev.lory.adapter;

import static dev.lory.error.ErrorCode.INVALID_ADAPTER;
import static dev.lory.error.ErrorCode.UNSUPPORTED_DTYPE;

import dev.lory.digest.Sha256;
import dev.lory.error.Finding;
import dev.lory.error.ServiceException;
import dev.lory.format.SafetensorsSource;
import dev.lory.kernel.Backend;
import dev.lory.model.Decoder;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.PublicKey;
import java.security.Signature;
import java.util.List;
import java.util.stream.Collectors;

/**
 * A folder as PEFT saves an adapter: adapter_config.json and adapter_model.safetensors; with a detached signature, adapter.sig beside them:
 * Ed25519 (RFC 8032) over the two lines that {@code sha256sum adapter_config.json adapter_model.safetensors} prints. The digest of an
 * adapter is the SHA-256 of these lines.
 */
public final class PeftFolder {
    static final String CONFIG = "adapter_config.json";
    static final String WEIGHTS = "adapter_model.safetensors";
    private static final String SIGNATURE = "adapter.sig";
    private static final long MAX_CONFIG_BYTES = 1 << 20;
    private static final int SIGNATURE_BYTES = 64;

    private final Path folder;
    private final AdapterPolicy policy;

    /** Nothing is read yet. */
    public PeftFolder(Path folder, AdapterPolicy policy) {
        this.folder = folder;
        this.policy = policy;
    }

    /**
     * Puts the adapter on the device.
     *
     * @param base the model it was made for, on the same device
     * @throws ServiceException {@code INVALID_ADAPTER} naming file and field or tensor, with all findings as member {@code findings}:
     *     something that cannot be honoured, a module that is named without tensors or has some without being named, another shape, half a
     *     pair, a value that is no number, what the policy refuses; {@code UNSUPPORTED_DTYPE}
     */
    public LoraWeights load(Decoder base, Backend backend) {
        List<AdapterReport.File> files = files();
        PeftConfig config = PeftConfig.read(folder.resolve(CONFIG));
        Path file = folder.resolve(WEIGHTS);
        try (SafetensorsSource source = open(file)) {
            return new LoraReader(config, source, base, backend, policy, false).read(digest(files));
        } catch (ServiceException e) {
            boolean named = e.detail().startsWith(file.toString());
            throw new ServiceException(e.code(), named ? e.detail() : file + ": " + e.detail(), e.members());
        }
    }

    /**
     * Whether its configuration says that it is a DoRA adapter.
     *
     * @throws ServiceException {@code INVALID_ADAPTER} naming file and field
     */
    public boolean isDora() {
        return PeftConfig.read(folder.resolve(CONFIG)).dora();
    }

    /** Whether its configuration names the same modules as another's; throws as {@link #isDora}. */
    public boolean targetsSameAs(PeftFolder other) {
        return PeftConfig.read(folder.resolve(CONFIG))
                .targets()
                .isSameAs(PeftConfig.read(other.folder.resolve(CONFIG)).targets());
    }

    /** Everything there is to say about the adapter, which does not stay on the device. */
    public AdapterReport check(Decoder base, Backend backend) {
        List<AdapterReport.File> files = List.of();
        try {
            files = files();
            PeftConfig config = PeftConfig.read(folder.resolve(CONFIG));
            try (SafetensorsSource source = open(folder.resolve(WEIGHTS))) {
                return check(files, new LoraReader(config, source, base, backend, policy, true));
            }
        } catch (ServiceException e) {
            String digest = files.isEmpty() ? "" : digest(files);
            return new AdapterReport(false, digest, files, 0, List.of(), List.of(brief(Finding.error("", e.detail()))));
        }
    }

    /** Without the folder, which who asks has named; it may be one where an upload waits. */
    private Finding brief(Finding finding) {
        String detail = finding.detail().replace(folder + "/", "").replace(folder.toString(), "the folder");
        return new Finding(finding.severity(), finding.path(), detail);
    }

    private AdapterReport check(List<AdapterReport.File> files, LoraReader reader) {
        String digest = digest(files);
        int rank = 0;
        boolean usable = true;
        try (LoraWeights weights = reader.read(digest)) {
            rank = weights.rank();
        } catch (ServiceException e) {
            if (e.code() != INVALID_ADAPTER && e.code() != UNSUPPORTED_DTYPE) {
                throw e;
            }
            usable = false;
        }
        return new AdapterReport(
                usable,
                digest,
                files,
                rank,
                reader.updates(),
                reader.findings().stream().map(this::brief).toList());
    }

    /** Both files, as the policy wants them. */
    private List<AdapterReport.File> files() {
        List<AdapterReport.File> files = List.of(file(CONFIG, MAX_CONFIG_BYTES), file(WEIGHTS, policy.maxBytes()));
        if (!policy.signers().isEmpty()) {
            requireSignature(files);
        }
        return files;
    }

    private AdapterReport.File file(String name, long maxBytes) {
        Path file = folder.resolve(name);
        if (!Files.isRegularFile(file)) {
            boolean pickled = name.equals(WEIGHTS) && Files.exists(folder.resolve("adapter_model.bin"));
            throw refused(folder + " has no " + name
                    + (pickled ? "; its adapter_model.bin may run code when it is read, and is not" : ""));
        }
        try {
            long bytes = Files.size(file);
            if (bytes > maxBytes) {
                throw refused(file + " has " + bytes + " bytes, at most " + maxBytes + " are allowed");
            }
            return new AdapterReport.File(name, bytes, Sha256.hex(file));
        } catch (IOException e) {
            throw refused(file + " cannot be read: " + ServiceException.reason(e));
        }
    }

    private void requireSignature(List<AdapterReport.File> files) {
        Path file = folder.resolve(SIGNATURE);
        if (!Files.isRegularFile(file)) {
            throw refused(folder + " has no " + SIGNATURE + ", and this service takes signed adapters only");
        }
        try (InputStream in = Files.newInputStream(file)) {
            byte[] signature = in.readNBytes(SIGNATURE_BYTES + 1);
            if (signature.length != SIGNATURE_BYTES) {
                throw refused(file + " is no Ed25519 signature, which has " + SIGNATURE_BYTES + " bytes");
            }
            for (PublicKey key : policy.signers()) {
                Signature ed25519 = Signature.getInstance("Ed25519");
                ed25519.initVerify(key);
                ed25519.update(sums(files).getBytes(StandardCharsets.UTF_8));
                if (ed25519.verify(signature)) {
                    return;
                }
            }
            throw refused(file + " is by none of the keys of this service, or the files were changed since");
        } catch (IOException e) {
            throw refused(file + " cannot be read: " + ServiceException.reason(e));
        } catch (GeneralSecurityException e) {
            throw refused(file + " cannot be verified: " + e.getMessage());
        }
    }

    /** As {@code sha256sum} prints them. */
    private static String sums(List<AdapterReport.File> files) {
        return files.stream()
                .map(file -> file.sha256() + "  " + file.name() + "\n")
                .collect(Collectors.joining());
    }

    private static String digest(List<AdapterReport.File> files) {
        return Sha256.hex(sums(files));
    }

    /** A broken file is a broken adapter here, not a broken model. */
    private static SafetensorsSource open(Path file) {
        try {
            return SafetensorsSource.open(file);
        } catch (ServiceException e) {
            throw refused(e.detail());
        }
    }

    private static ServiceException refused(String what) {
        return new ServiceException(INVALID_ADAPTER, what);
    }
}
