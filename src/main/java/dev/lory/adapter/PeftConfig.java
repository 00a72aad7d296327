package dev.lory.adapter;

import static dev.lory.error.ErrorCode.INVALID_ADAPTER;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.lory.error.ServiceException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;

/**
 * What {@code adapter_config.json} says, in PEFT's terms.
 *
 * @param rank {@code r}, at least 1
 * @param alpha {@code lora_alpha}
 * @param rslora the delta is scaled by alpha / √r instead of alpha / r (arXiv:2312.03732)
 * @param targetModules as listed; a single regular expression or {@code all-linear} where it is a string
 * @param rankPattern and {@code alphaPattern}: exceptions by module, the first whose key ends the path
 */
public record PeftConfig(
        int rank,
        float alpha,
        boolean rslora,
        List<String> targetModules,
        Map<String, Integer> rankPattern,
        Map<String, Float> alphaPattern) {
    /** Fields that change the numbers in ways not honoured here, with the values that do not. */
    private static final Map<String, List<String>> NEUTRAL = Map.ofEntries(
            Map.entry("peft_type", List.of("\"LORA\"")),
            Map.entry("bias", List.of("\"none\"")),
            Map.entry("fan_in_fan_out", List.of("false")),
            Map.entry("use_dora", List.of("false")),
            Map.entry("use_qalora", List.of("false")),
            Map.entry("use_bdlora", List.of("false")),
            Map.entry("lora_bias", List.of("false")),
            Map.entry("modules_to_save", List.of("[]")),
            Map.entry("trainable_token_indices", List.of("[]", "{}")),
            Map.entry("target_parameters", List.of("[]")),
            Map.entry("layer_replication", List.of("[]")),
            Map.entry("alora_invocation_tokens", List.of("[]")),
            Map.entry("arrow_config", List.of()),
            Map.entry("kasa_config", List.of()),
            Map.entry("monteclora_config", List.of()),
            Map.entry("megatron_config", List.of()),
            Map.entry("init_lora_weights", List.of("true", "false", "\"gaussian\"", "\"eva\"", "\"orthogonal\"")));

    public PeftConfig {
        if (rank < 1) {
            throw new ServiceException(INVALID_ADAPTER, "r must be at least 1 but is " + rank);
        }
        targetModules = List.copyOf(targetModules);
        rankPattern = Map.copyOf(rankPattern);
        alphaPattern = Map.copyOf(alphaPattern);
    }

    /** @throws ServiceException {@code INVALID_ADAPTER} naming the file and what in it cannot be honoured */
    public static PeftConfig read(Path file) {
        try {
            JsonNode json = new ObjectMapper().readTree(Files.readAllBytes(file));
            if (!json.isObject()) {
                throw new ServiceException(INVALID_ADAPTER, "expected a JSON object");
            }
            return of(json);
        } catch (ServiceException e) {
            throw new ServiceException(e.code(), file + ": " + e.detail());
        } catch (JsonProcessingException e) {
            throw new ServiceException(INVALID_ADAPTER, file + ": not JSON: " + e.getOriginalMessage());
        } catch (IOException e) {
            throw new ServiceException(INVALID_ADAPTER, file + ": cannot be read", e);
        }
    }

    private static PeftConfig of(JsonNode json) {
        NEUTRAL.forEach((field, accepted) -> {
            JsonNode value = json.path(field);
            if (!value.isMissingNode() && !value.isNull() && !accepted.contains(value.toString())) {
                throw new ServiceException(INVALID_ADAPTER, field + " = " + value + " is not supported");
            }
        });
        Map<String, Integer> ranks = new LinkedHashMap<>();
        json.path("rank_pattern")
                .properties()
                .forEach(e -> ranks.put(e.getKey(), (int) number(e.getValue(), "rank_pattern." + e.getKey())));
        Map<String, Float> alphas = new LinkedHashMap<>();
        json.path("alpha_pattern")
                .properties()
                .forEach(e -> alphas.put(e.getKey(), (float) number(e.getValue(), "alpha_pattern." + e.getKey())));
        return new PeftConfig(
                (int) number(json.path("r"), "r"),
                (float) number(json.path("lora_alpha"), "lora_alpha"),
                json.path("use_rslora").asBoolean(false),
                targets(json.path("target_modules")),
                ranks,
                alphas);
    }

    private static double number(JsonNode value, String field) {
        if (!value.isNumber()) {
            throw new ServiceException(
                    INVALID_ADAPTER, field + " must be a number but is " + (value.isMissingNode() ? "missing" : value));
        }
        return value.asDouble();
    }

    private static List<String> targets(JsonNode value) {
        List<String> targets = new ArrayList<>();
        if (value.isTextual()) {
            targets.add(value.asText());
        }
        for (JsonNode target : value) {
            targets.add(target.asText());
        }
        return targets;
    }

    /** The rank of the module at {@code path}. */
    public int rank(String path) {
        return pattern(rankPattern, path, rank);
    }

    /** What B·A is multiplied with at {@code path}. */
    public float scale(String path) {
        float a = pattern(alphaPattern, path, alpha);
        int r = rank(path);
        return (float) (rslora ? a / Math.sqrt(r) : (double) a / r);
    }

    /** PEFT's {@code get_pattern_key}: the first key that, as a regular expression, matches the end of the path. */
    private static <T> T pattern(Map<String, T> patterns, String path, T otherwise) {
        for (Map.Entry<String, T> entry : patterns.entrySet()) {
            try {
                if (Pattern.matches("(.*\\.)?(" + entry.getKey() + ")", path)) {
                    return entry.getValue();
                }
            } catch (PatternSyntaxException e) {
                throw new ServiceException(
                        INVALID_ADAPTER, "pattern " + entry.getKey() + " is no regular expression", e);
            }
        }
        return otherwise;
    }
}
