package dev.lory.adapter;

import static dev.lory.error.ErrorCode.INVALID_ADAPTER;

import dev.lory.error.ServiceException;
import dev.lory.format.SafetensorsSource;
import dev.lory.kernel.Backend;
import dev.lory.kernel.LoraFactors;
import dev.lory.model.DecoderSpec;
import dev.lory.model.LinearSite;
import dev.lory.tensor.Tensor;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * A LoRA adapter on its device: for each site A {@code [r, in]}, B {@code [out, r]} and the scale of their product.
 *
 * @param digest SHA-256 of adapter_config.json and adapter_model.safetensors, in hex
 * @param rank the largest of any site
 * @param targetModules last parts of the sites' paths
 * @param factors by {@link LinearSite#index}
 */
public record LoraWeights(
        String digest, int rank, long bytes, List<String> targetModules, Map<Integer, LoraFactors> factors)
        implements AutoCloseable {
    private static final String CONFIG = "adapter_config.json";
    private static final String WEIGHTS = "adapter_model.safetensors";
    private static final String PEFT_PREFIX = "base_model.model.";
    private static final String A = ".lora_A.weight";
    private static final String B = ".lora_B.weight";

    public LoraWeights {
        targetModules = List.copyOf(targetModules);
        factors = Map.copyOf(factors);
    }

    /**
     * Reads a PEFT folder.
     *
     * @throws ServiceException {@code INVALID_ADAPTER} naming file and tensor: a site the base does not have, another shape, a
     *     rank that is not the configured one, half a pair, a value that is no number, no site at all
     */
    public static LoraWeights load(Path folder, DecoderSpec spec, Backend backend) {
        for (String file : List.of(CONFIG, WEIGHTS)) {
            if (!Files.isRegularFile(folder.resolve(file))) {
                throw new ServiceException(INVALID_ADAPTER, folder + " has no " + file);
            }
        }
        PeftConfig config = PeftConfig.read(folder.resolve(CONFIG));
        String digest = digest(folder);
        try (SafetensorsSource source = SafetensorsSource.open(folder.resolve(WEIGHTS))) {
            return new Reader(folder.resolve(WEIGHTS), config, source, spec, backend).read(digest);
        }
    }

    @Override
    public void close() {
        factors.values().forEach(LoraFactors::close);
    }

    private static String digest(Path folder) {
        try {
            MessageDigest sha = MessageDigest.getInstance("SHA-256");
            for (String file : List.of(CONFIG, WEIGHTS)) {
                try (InputStream in = new DigestInputStream(Files.newInputStream(folder.resolve(file)), sha)) {
                    in.transferTo(OutputStream.nullOutputStream());
                }
            }
            return HexFormat.of().formatHex(sha.digest());
        } catch (IOException e) {
            throw new ServiceException(INVALID_ADAPTER, folder + " cannot be read", e);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    /** One folder being read. */
    private static final class Reader {
        private final Path file;
        private final PeftConfig config;
        private final SafetensorsSource source;
        private final Backend backend;
        /** By path; several where one linear has several outputs. */
        private final Map<String, List<LinearSite>> sites = new TreeMap<>();

        Reader(Path file, PeftConfig config, SafetensorsSource source, DecoderSpec spec, Backend backend) {
            this.file = file;
            this.config = config;
            this.source = source;
            this.backend = backend;
            for (LinearSite site : spec.linearSites()) {
                sites.computeIfAbsent(site.path(), path -> new ArrayList<>()).add(site);
            }
        }

        LoraWeights read(String digest) {
            Map<Integer, LoraFactors> factors = new TreeMap<>();
            try {
                int rank = 0;
                long bytes = 0;
                TreeSet<String> modules = new TreeSet<>();
                for (LinearSite site : targets()) {
                    LoraFactors pair = pair(site);
                    factors.put(site.index(), pair);
                    rank = Math.max(rank, pair.rank());
                    bytes += pair.bytes();
                    modules.add(site.module());
                }
                return new LoraWeights(digest, rank, bytes, List.copyOf(modules), factors);
            } catch (RuntimeException e) {
                factors.values().forEach(LoraFactors::close);
                throw e;
            }
        }

        /** The sites that tensors are there for; every tensor must belong to one, half a pair is an error. */
        private List<LinearSite> targets() {
            List<LinearSite> found = new ArrayList<>();
            for (String name : source.names()) {
                String path = name.startsWith(PEFT_PREFIX) ? name.substring(PEFT_PREFIX.length()) : name;
                if (!path.endsWith(A) && !path.endsWith(B)) {
                    throw refused("tensor " + name + " is neither " + A.substring(1) + " nor " + B.substring(1));
                }
                List<LinearSite> outputs = sites.get(path.substring(0, path.length() - A.length()));
                if (outputs == null) {
                    throw refused("tensor " + name + " is for a module that the base model does not have");
                }
                String other = name.substring(0, name.length() - A.length()) + (path.endsWith(A) ? B : A);
                if (!source.has(other)) {
                    throw refused("tensor " + name + " is there without " + other);
                }
                if (path.endsWith(A)) {
                    found.addAll(outputs);
                }
            }
            if (found.isEmpty()) {
                throw refused("no LoRA tensors at all");
            }
            return found;
        }

        private LoraFactors pair(LinearSite site) {
            LinearSite.Shape shape = site.shape();
            int rank = config.rank(site.path());
            Tensor a = factor(site, A, rank, shape.in());
            Tensor b = factor(site, B, shape.out(), rank).slice(site.firstRow(), site.rows());
            return backend.loadLora(a, b, config.scale(site.path()));
        }

        private Tensor factor(LinearSite site, String suffix, int rows, int cols) {
            String name = PEFT_PREFIX + site.path() + suffix;
            if (!source.has(name)) {
                name = site.path() + suffix;
            }
            Tensor tensor = source.tensor(name);
            if (tensor.rows() != rows || tensor.cols() != cols) {
                throw refused("tensor " + name + " has shape [" + tensor.rows() + ", " + tensor.cols()
                        + "], r and the base model want [" + rows + ", " + cols + "]");
            }
            float[] row = new float[cols];
            for (int r = 0; r < rows; r++) {
                tensor.decodeRow(r, row);
                for (float value : row) {
                    if (!Float.isFinite(value)) {
                        throw refused("tensor " + name + " holds " + value + " in row " + r);
                    }
                }
            }
            return tensor;
        }

        private ServiceException refused(String what) {
            return new ServiceException(INVALID_ADAPTER, file + ": " + what);
        }
    }
}
