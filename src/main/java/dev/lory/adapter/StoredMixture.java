package dev.lory.adapter;

import static dev.lory.error.ErrorCode.INVALID_ADAPTER;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.lory.adapter.MergeStrategy.MajoritySign;
import dev.lory.error.ServiceException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Several adapters merged into one that can be stored: what cannot be summed up while a request runs, because values of one adapter are
 * dropped for the sake of another.
 *
 * @param parts at least one
 * @param density the share of values that stays, more than 0 and at most 1; without effect on {@link MergeStrategy#LINEAR}
 * @param seed of what is dropped at random, so that the same mixture is the same file
 */
public record StoredMixture(List<Part> parts, MergeStrategy strategy, double density, MajoritySign sign, long seed) {
    public StoredMixture {
        parts = List.copyOf(parts);
    }

    /** @param folder as PEFT saves an adapter */
    public record Part(String name, Path folder, float weight) {}

    /**
     * Writes the merged adapter into a folder: rank and scale of every module are said there, and its scale is 1.
     *
     * @throws ServiceException {@code INVALID_ADAPTER} naming the adapter that cannot be merged, and why
     */
    public void write(Path folder) throws IOException {
        List<MergePart> read = new ArrayList<>();
        try {
            for (Part part : parts) {
                read.add(MergePart.read(part));
            }
            List<MergedModule> modules = MergedModule.of(read, strategy);
            if (modules.isEmpty()) {
                throw new ServiceException(INVALID_ADAPTER, "the adapters have no low-rank updates to merge");
            }
            Files.write(folder.resolve(PeftFolder.CONFIG), new ObjectMapper().writeValueAsBytes(config(modules)));
            MergedModule.write(folder.resolve(PeftFolder.WEIGHTS), modules, this);
        } finally {
            read.forEach(MergePart::close);
        }
    }

    /** PEFT's: modules by their whole paths, the largest rank as {@code r}, and those with another as patterns. */
    private static ObjectNode config(List<MergedModule> modules) {
        int rank = modules.stream().mapToInt(MergedModule::rank).max().orElseThrow();
        ObjectNode config = new ObjectMapper().createObjectNode();
        config.put("peft_type", "LORA").put("task_type", "CAUSAL_LM").put("inference_mode", true);
        config.put("r", rank).put("lora_alpha", rank);
        ObjectNode ranks = config.putObject("rank_pattern");
        ObjectNode alphas = config.putObject("alpha_pattern");
        for (MergedModule module : modules) {
            if (module.rank() != rank) {
                ranks.put(module.path(), module.rank());
                alphas.put(module.path(), module.rank());
            }
        }
        modules.forEach(module -> config.withArray("target_modules").add(module.path()));
        return config;
    }
}
