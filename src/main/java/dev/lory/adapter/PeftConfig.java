package dev.lory.adapter;

import static dev.lory.error.ErrorCode.INVALID_ADAPTER;

import dev.lory.error.ServiceException;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What {@code adapter_config.json} says, in PEFT's terms.
 *
 * @param rank {@code r}, at least 1
 * @param alpha {@code lora_alpha}
 * @param rslora the delta is scaled by alpha / √r instead of alpha / r (arXiv:2312.03732)
 * @param dora the sum of weight and delta is scaled to a learned length, output by output (arXiv:2402.09353)
 * @param tying {@code ensure_weight_tying}: what changes the embedding of a model whose head is tied changes the head, too
 * @param bias which biases the adapter brings along: {@code none}, {@code all} or {@code lora_only}
 * @param modulesToSave endings of the paths of modules whose weight the adapter brings along whole
 * @param rankPattern and {@code alphaPattern}: exceptions by module, in the order of the file; the first whose key ends the path counts
 */
record PeftConfig(
        int rank,
        double alpha,
        boolean rslora,
        boolean dora,
        boolean tying,
        String bias,
        TargetModules targets,
        List<String> modulesToSave,
        Map<String, Integer> rankPattern,
        Map<String, Double> alphaPattern) {

    PeftConfig {
        requireRank("r", rank);
        modulesToSave = List.copyOf(modulesToSave);
        rankPattern = Collections.unmodifiableMap(new LinkedHashMap<>(rankPattern));
        alphaPattern = Collections.unmodifiableMap(new LinkedHashMap<>(alphaPattern));
        rankPattern.forEach((key, r) -> requireRank("rank_pattern." + key, r));
    }

    private static void requireRank(String field, int rank) {
        if (rank < 1) {
            throw new ServiceException(INVALID_ADAPTER, field + " must be at least 1 but is " + rank);
        }
    }

    /** @throws ServiceException {@code INVALID_ADAPTER} naming the file and what in it cannot be honoured */
    static PeftConfig read(Path file) {
        return PeftConfigFile.read(file);
    }

    /**
     * Whether the module gets a low-rank update.
     *
     * @param inLayer a linear of a layer, so not the head and not the embedding
     */
    boolean targets(String path, boolean inLayer) {
        for (String name : modulesToSave) {
            if (ModulePattern.of("modules_to_save", "(^|.*\\.)" + name + "($|\\..*)")
                    .matchesStart(path)) {
                return false;
            }
        }
        return targets.contains(path, inLayer);
    }

    /** Whether the adapter brings the module's weight along; PEFT compares the end of the path, dot or not. */
    boolean saves(String path) {
        return modulesToSave.stream().anyMatch(path::endsWith);
    }

    /** The rank of the module at {@code path}. */
    int rank(String path) {
        return pattern("rank_pattern", rankPattern, path, rank);
    }

    /** What B·A is multiplied with at {@code path}: computed in F64 and rounded once, as PEFT does. */
    float scale(String path) {
        double a = pattern("alpha_pattern", alphaPattern, path, alpha);
        int r = rank(path);
        return (float) (a / (rslora ? Math.sqrt(r) : r));
    }

    /** PEFT's {@code get_pattern_key}: the first key that, as a regular expression, matches the end of the path. */
    private static <T> T pattern(String field, Map<String, T> patterns, String path, T otherwise) {
        for (Map.Entry<String, T> entry : patterns.entrySet()) {
            String key = entry.getKey();
            if (ModulePattern.of(field + "." + key, "(.*\\.)?(" + key + ")$").matchesStart(path)) {
                return entry.getValue();
            }
        }
        return otherwise;
    }
}
