package dev.lory.adapter;

import static dev.lory.error.ErrorCode.INVALID_ADAPTER;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.lory.adapter.TargetModules.Names;
import dev.lory.error.ServiceException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.BiFunction;

/**
 * Reads {@code adapter_config.json} (PEFT's {@code LoraConfig}). A field that changes the numbers is honoured or refused by name; what only
 * matters for training, and keys not known here, pass, and so does {@code fan_in_fan_out}, which PEFT switches off for every linear there is
 * here.
 */
final class PeftConfigFile {
    /** Fields that change the numbers in ways not honoured here, with the values that do not; null and absent never do. */
    private static final Map<String, Set<String>> NEUTRAL = Map.ofEntries(
            Map.entry("use_qalora", Set.of("false")),
            Map.entry("use_bdlora", Set.of("false")),
            Map.entry("lora_bias", Set.of("false")),
            Map.entry("trainable_token_indices", Set.of("[]", "{}")),
            Map.entry("target_parameters", Set.of("[]")),
            Map.entry("layer_replication", Set.of("[]")),
            Map.entry("alora_invocation_tokens", Set.of()),
            Map.entry("arrow_config", Set.of()),
            Map.entry("kasa_config", Set.of()),
            Map.entry("monteclora_config", Set.of()),
            Map.entry("megatron_config", Set.of()),
            // the others leave a base behind that is not the one served here
            Map.entry("init_lora_weights", Set.of("true", "false", "\"gaussian\"", "\"eva\"", "\"orthogonal\"")));

    private static final Set<String> BIASES = Set.of("none", "all", "lora_only");

    private static final int DEFAULT_RANK = 8;
    private static final double DEFAULT_ALPHA = 8;

    private final JsonNode json;

    private PeftConfigFile(JsonNode json) {
        this.json = json;
    }

    /** @throws ServiceException {@code INVALID_ADAPTER} naming the file and what in it cannot be honoured */
    static PeftConfig read(Path file) {
        try {
            JsonNode json = new ObjectMapper().readTree(Files.readAllBytes(file));
            if (!json.isObject()) {
                throw new ServiceException(INVALID_ADAPTER, "expected a JSON object");
            }
            return new PeftConfigFile(json).config();
        } catch (ServiceException e) {
            throw new ServiceException(e.code(), file + ": " + e.detail());
        } catch (JsonProcessingException e) {
            throw new ServiceException(INVALID_ADAPTER, file + ": not JSON: " + e.getOriginalMessage());
        } catch (IOException e) {
            throw new ServiceException(INVALID_ADAPTER, file + ": cannot be read", e);
        }
    }

    private PeftConfig config() {
        if (!json.path("peft_type").asText().equals("LORA")) {
            throw wrong("peft_type", json.path("peft_type"), "\"LORA\"");
        }
        NEUTRAL.forEach((field, accepted) -> {
            JsonNode value = json.path(field);
            if (isThere(value) && !accepted.contains(value.toString())) {
                throw new ServiceException(INVALID_ADAPTER, field + " = " + value + " is not supported");
            }
        });
        return new PeftConfig(
                isThere(json.path("r")) ? integer("r", json.path("r")) : DEFAULT_RANK,
                isThere(json.path("lora_alpha")) ? number("lora_alpha", json.path("lora_alpha")) : DEFAULT_ALPHA,
                flag("use_rslora"),
                flag("use_dora"),
                flag("ensure_weight_tying"),
                bias(),
                targets(),
                texts("modules_to_save"),
                pattern("rank_pattern", PeftConfigFile::integer),
                pattern("alpha_pattern", PeftConfigFile::number));
    }

    private String bias() {
        JsonNode bias = json.path("bias");
        if (isThere(bias) && !BIASES.contains(bias.asText())) {
            throw wrong("bias", bias, "\"none\", \"all\" or \"lora_only\"");
        }
        return isThere(bias) ? bias.asText() : "none";
    }

    private TargetModules targets() {
        Names targets = names("target_modules");
        if (targets instanceof Names.Listed listed && listed.names().isEmpty()) {
            throw new ServiceException(INVALID_ADAPTER, "target_modules names no module");
        }
        Set<Integer> layers = new HashSet<>();
        JsonNode only = json.path("layers_to_transform");
        if (only.isIntegralNumber()) {
            layers.add(integer("layers_to_transform", only));
        } else {
            items("layers_to_transform").forEach(layer -> layers.add(integer("layers_to_transform", layer)));
        }
        JsonNode pattern = json.path("layers_pattern");
        List<String> patterns = pattern.isTextual() ? List.of(pattern.textValue()) : texts("layers_pattern");
        if (patterns.stream().anyMatch(name -> name.contains("("))) {
            throw wrong("layers_pattern", pattern, "the names of lists of layers");
        }
        boolean listed = targets instanceof Names.Listed;
        if (!listed && (isThere(only) || isThere(pattern))) {
            throw new ServiceException(
                    INVALID_ADAPTER, "layers_to_transform and layers_pattern go with a list in target_modules only");
        }
        if (!patterns.isEmpty() && !isThere(only)) {
            throw new ServiceException(INVALID_ADAPTER, "layers_pattern is there without layers_to_transform");
        }
        return new TargetModules(targets, names("exclude_modules"), layers, patterns);
    }

    /** A list, a regular expression, or {@code all-linear} where PEFT knows it. */
    private Names names(String field) {
        JsonNode value = json.path(field);
        if (value.isTextual()) {
            String regex = value.textValue();
            boolean all = field.equals("target_modules")
                    && regex.toLowerCase(Locale.ROOT).equals("all-linear");
            // an empty string is false in Python: nothing
            return all
                    ? new Names.AllLinear()
                    : regex.isEmpty() ? new Names.Listed(Set.of()) : new Names.Matching(ModulePattern.of(field, regex));
        }
        return new Names.Listed(new HashSet<>(texts(field)));
    }

    private List<String> texts(String field) {
        List<String> texts = new ArrayList<>();
        items(field).forEach(item -> texts.add(text(field, item)));
        texts.remove("");
        return texts;
    }

    private <T> Map<String, T> pattern(String field, BiFunction<String, JsonNode, T> read) {
        JsonNode value = json.path(field);
        if (isThere(value) && !value.isObject()) {
            throw wrong(field, value, "an object");
        }
        Map<String, T> entries = new LinkedHashMap<>();
        value.properties()
                .forEach(entry ->
                        entries.put(entry.getKey(), read.apply(field + "." + entry.getKey(), entry.getValue())));
        return entries;
    }

    private Iterable<JsonNode> items(String field) {
        JsonNode value = json.path(field);
        if (isThere(value) && !value.isArray()) {
            throw wrong(field, value, "a list");
        }
        return value;
    }

    private boolean flag(String field) {
        JsonNode value = json.path(field);
        if (isThere(value) && !value.isBoolean()) {
            throw wrong(field, value, "true or false");
        }
        return value.booleanValue();
    }

    private static boolean isThere(JsonNode value) {
        return !value.isMissingNode() && !value.isNull();
    }

    private static int integer(String field, JsonNode value) {
        if (!value.isIntegralNumber() || !value.canConvertToInt()) {
            throw wrong(field, value, "an integer");
        }
        return value.intValue();
    }

    private static double number(String field, JsonNode value) {
        if (!value.isNumber() || !Double.isFinite(value.doubleValue())) {
            throw wrong(field, value, "a number");
        }
        return value.doubleValue();
    }

    private static String text(String field, JsonNode value) {
        if (!value.isTextual()) {
            throw wrong(field, value, "a string");
        }
        return value.textValue();
    }

    private static ServiceException wrong(String field, JsonNode value, String wanted) {
        return new ServiceException(
                INVALID_ADAPTER,
                field + " must be " + wanted + " but is " + (value.isMissingNode() ? "missing" : value));
    }
}
