package dev.lory.format;

import com.fasterxml.jackson.databind.JsonNode;
import dev.lory.error.ErrorCode;
import dev.lory.error.ServiceException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.OptionalInt;
import java.util.Set;

/** Reads {@code config.json} as transformers 4 and 5 write it; absent keys mean what they mean to {@code LlamaConfig}. */
final class HuggingFaceConfig {
    /** Keys that would change what is computed; present and not null, they are refused. */
    private static final List<String> NOT_HONOURED = List.of("quantization_config", "sliding_window");

    private final JsonFile json;

    private HuggingFaceConfig(JsonFile json) {
        this.json = json;
    }

    static ModelConfig read(Path configJson) {
        return of(JsonFile.read(configJson));
    }

    /** @param json what a config.json has, wherever it comes from */
    static ModelConfig of(JsonFile json) {
        try {
            return new HuggingFaceConfig(json).toModelConfig();
        } catch (ServiceException e) {
            if (e.detail().startsWith(json.path().toString())) {
                throw e;
            }
            throw new ServiceException(ErrorCode.INVALID_MODEL, json.path() + ": " + e.detail(), e);
        }
    }

    private ModelConfig toModelConfig() {
        String architecture = architecture();
        for (String key : NOT_HONOURED) {
            json.get(key).ifPresent(value -> {
                throw MappedFile.invalid(json.path(), key + " is " + value + ", which is not supported");
            });
        }
        int hidden = json.integer("hidden_size");
        int heads = json.integer("num_attention_heads");
        return new ModelConfig(
                architecture,
                json.integer("vocab_size"),
                hidden,
                json.integer("intermediate_size"),
                json.integer("num_hidden_layers"),
                heads,
                json.integer("num_key_value_heads", heads),
                json.integer("head_dim", Math.max(0, hidden / Math.max(1, heads))),
                json.integer("max_position_embeddings", 2048),
                json.number("rms_norm_eps", 1e-6),
                ropeTheta(),
                json.flag("tie_word_embeddings", false),
                json.flag("attention_bias", false),
                json.flag("mlp_bias", false),
                json.text("hidden_act").orElse("silu"),
                bosTokenId(),
                eosTokenIds());
    }

    private String architecture() {
        JsonNode names =
                json.get("architectures").orElseThrow(() -> MappedFile.invalid(json.path(), "has no architectures"));
        if (!names.isArray() || names.size() != 1 || !names.get(0).isTextual()) {
            throw json.wrong("architectures", names, "a list of one name");
        }
        return names.get(0).textValue();
    }

    /** From {@code rope_parameters} (transformers 5), else {@code rope_theta}; any scaling is refused. */
    private double ropeTheta() {
        double classic = json.number("rope_theta", 10000);
        json.object("rope_scaling").ifPresent(scaling -> checkPlainRope("rope_scaling", scaling));
        double theta = json.object("rope_parameters")
                .map(rope -> {
                    checkPlainRope("rope_parameters", rope);
                    return rope.number("rope_theta", classic);
                })
                .orElse(classic);
        checkWholeHead(json);
        return theta;
    }

    private void checkPlainRope(String key, JsonFile rope) {
        String type = rope.text("rope_type").or(() -> rope.text("type")).orElse("default");
        if (!type.equals("default")) {
            throw MappedFile.invalid(
                    json.path(), key + " asks for rope_type " + type + "; default is the only one supported");
        }
        checkWholeHead(rope);
    }

    private void checkWholeHead(JsonFile rope) {
        double rotated = rope.number("partial_rotary_factor", 1);
        if (rotated != 1) {
            throw MappedFile.invalid(
                    json.path(), "partial_rotary_factor is " + rotated + "; 1 is the only value supported");
        }
    }

    private OptionalInt bosTokenId() {
        List<Integer> ids = tokenIds(json, "bos_token_id");
        return ids.isEmpty() ? OptionalInt.empty() : OptionalInt.of(ids.getFirst());
    }

    private List<Integer> eosTokenIds() {
        Set<Integer> ids = new LinkedHashSet<>(tokenIds(json, "eos_token_id"));
        Path generation = json.path().resolveSibling("generation_config.json");
        if (json.path().endsWith("config.json") && Files.isRegularFile(generation)) {
            ids.addAll(tokenIds(JsonFile.read(generation), "eos_token_id"));
        }
        return List.copyOf(ids);
    }

    /** A token id or a list of them. */
    private static List<Integer> tokenIds(JsonFile file, String key) {
        List<Integer> ids = new ArrayList<>();
        file.get(key).ifPresent(value -> {
            if (value.isArray()) {
                value.forEach(id -> ids.add(file.asInt(key, id)));
            } else {
                ids.add(file.asInt(key, value));
            }
        });
        return ids;
    }
}
