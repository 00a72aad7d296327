package dev.lory.adapter;

import static dev.lory.error.ErrorCode.INVALID_ADAPTER;

import dev.lory.digest.Sha256;
import dev.lory.error.ServiceException;
import dev.lory.format.SafetensorsSource;
import dev.lory.kernel.Backend;
import dev.lory.kernel.LoraFactors;
import dev.lory.model.Decoder;
import dev.lory.model.LinearSite;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * A LoRA adapter on its device: for each site A {@code [r, in]}, B {@code [out, r]} and the scale of their product, with a gain if it is
 * a DoRA adapter; or a weight that stands in for the base's.
 *
 * @param digest SHA-256 of adapter_config.json and adapter_model.safetensors, in hex
 * @param rank the largest of any site
 * @param targetModules last parts of the paths of the modules it changes
 * @param exclusive the field of adapter_config.json for which it can only run alone and with weight 1; empty if it can be summed
 * @param factors by {@link LinearSite#index}
 */
public record LoraWeights(
        String digest,
        int rank,
        long bytes,
        List<String> targetModules,
        String exclusive,
        Map<Integer, LoraFactors> factors)
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
     * @param base the model it was made for, on the same device
     * @throws ServiceException {@code INVALID_ADAPTER} naming file and field or tensor: something that cannot be honoured, a module that is
     *     named without tensors or has some without being named, another shape, half a pair, a value that is no number;
     *     {@code UNSUPPORTED_DTYPE}
     */
    public static LoraWeights load(Path folder, Decoder base, Backend backend) {
        for (String file : List.of(CONFIG, WEIGHTS)) {
            if (!Files.isRegularFile(folder.resolve(file))) {
                throw new ServiceException(INVALID_ADAPTER, folder + " has no " + file);
            }
        }
        PeftConfig config = PeftConfig.read(folder.resolve(CONFIG));
        String digest = digest(folder);
        Path file = folder.resolve(WEIGHTS);
        try (SafetensorsSource source = open(file)) {
            return new LoraReader(config, new AdapterTensors(source), base, backend).read(digest);
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
            return Sha256.hex(List.of(folder.resolve(CONFIG), folder.resolve(WEIGHTS)));
        } catch (IOException e) {
            throw new ServiceException(INVALID_ADAPTER, folder + " cannot be read", e);
        }
    }
}
