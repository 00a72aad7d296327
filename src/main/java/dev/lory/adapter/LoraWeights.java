package dev.lory.adapter;

import static dev.lory.error.ErrorCode.INVALID_ADAPTER;

import dev.lory.adapter.AdapterTensors.Role;
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
import java.util.Set;
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

    public LoraWeights {
        targetModules = List.copyOf(targetModules);
        factors = Map.copyOf(factors);
    }

    /**
     * Reads a PEFT folder.
     *
     * @throws ServiceException {@code INVALID_ADAPTER} naming file and field or tensor: something that cannot be honoured, a module that is
     *     named without tensors or has some without being named, another shape, half a pair, a value that is no number;
     *     {@code UNSUPPORTED_DTYPE}
     */
    public static LoraWeights load(Path folder, DecoderSpec spec, Backend backend) {
        for (String file : List.of(CONFIG, WEIGHTS)) {
            if (!Files.isRegularFile(folder.resolve(file))) {
                throw new ServiceException(INVALID_ADAPTER, folder + " has no " + file);
            }
        }
        PeftConfig config = PeftConfig.read(folder.resolve(CONFIG));
        String digest = digest(folder);
        Path file = folder.resolve(WEIGHTS);
        try (SafetensorsSource source = open(file)) {
            return new Reader(config, new AdapterTensors(source), spec, backend).read(digest);
        } catch (ServiceException e) {
            boolean named = e.detail().startsWith(file.toString());
            throw new ServiceException(e.code(), named ? e.detail() : file + ": " + e.detail());
        }
    }

    /** A broken file is a broken adapter here, not a broken model. */
    private static SafetensorsSource open(Path file) {
        try {
            return SafetensorsSource.open(file);
        } catch (ServiceException e) {
            throw new ServiceException(INVALID_ADAPTER, e.detail());
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
        private final PeftConfig config;
        private final AdapterTensors tensors;
        private final DecoderSpec spec;
        private final Backend backend;

        Reader(PeftConfig config, AdapterTensors tensors, DecoderSpec spec, Backend backend) {
            this.config = config;
            this.tensors = tensors;
            this.spec = spec;
            this.backend = backend;
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

        /** The sites that the configuration names; each has its tensors, and nobody else has any. */
        private List<LinearSite> targets() {
            List<LinearSite> found = new ArrayList<>();
            Set<String> without = new TreeSet<>(tensors.paths());
            for (LinearSite site : spec.linearSites()) {
                without.remove(site.path());
                boolean targeted = config.targets().contains(site.path(), true);
                Map<Role, String> names = tensors.of(site.path());
                if (targeted && names.isEmpty()) {
                    throw refused("target_modules names " + site.path() + ", but there are no tensors for it");
                }
                if (!targeted && !names.isEmpty()) {
                    throw refused("tensor " + first(names) + " is for a module that target_modules does not name");
                }
                if (targeted) {
                    found.add(site);
                }
            }
            if (!without.isEmpty()) {
                String name = first(tensors.of(without.iterator().next()));
                throw refused("tensor " + name + " is for no linear that the base model has");
            }
            if (found.isEmpty()) {
                throw refused("target_modules names no module of the base model");
            }
            return found;
        }

        private static String first(Map<Role, String> names) {
            return names.values().iterator().next();
        }

        private LoraFactors pair(LinearSite site) {
            Map<Role, String> names = tensors.of(site.path());
            for (Map.Entry<Role, String> entry : names.entrySet()) {
                if (entry.getKey() != Role.LORA_A && entry.getKey() != Role.LORA_B) {
                    throw refused("tensor " + entry.getValue() + " is not supported here");
                }
            }
            DecoderSpec.Shape shape = spec.shape(site);
            int rank = config.rank(site.path());
            Tensor a = factor(site, Role.LORA_A, rank, shape.in());
            Tensor b = factor(site, Role.LORA_B, shape.out(), rank);
            return backend.loadLora(a, b, config.scale(site.path()));
        }

        private Tensor factor(LinearSite site, Role role, int rows, int cols) {
            String name = tensors.of(site.path()).get(role);
            if (name == null) {
                throw refused(site.path() + " has no " + role.suffix());
            }
            Tensor tensor = tensors.source().tensor(name);
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

        private static ServiceException refused(String what) {
            return new ServiceException(INVALID_ADAPTER, what);
        }
    }
}
