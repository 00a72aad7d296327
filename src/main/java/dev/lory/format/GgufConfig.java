package dev.lory.format;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.lory.error.ServiceException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Says in the terms of {@code config.json} what the metadata of a GGUF file say, so that there is one place that knows what
 * the keys mean. A key below the architecture's name that is not understood is refused unless it is zero, which is how
 * llama.cpp stores what a model does not have.
 */
final class GgufConfig {
    /** Read here or by {@link GgufRope}, or without influence on the numbers. */
    private static final Set<String> KNOWN = Set.of(
            "vocab_size",
            "attention.value_length",
            "rope.dimension_count",
            "rope.scaling.type",
            "rope.scaling.factor",
            "rope.scaling.original_context_length",
            "rope.scaling.attn_factor",
            "rope.scaling.finetuned",
            "rope.scaling.yarn_ext_factor",
            "rope.scaling.yarn_attn_factor",
            "rope.scaling.yarn_beta_fast",
            "rope.scaling.yarn_beta_slow",
            "rope.scale_linear",
            "tensor_data_layout");

    /** Keys of config.json that must come from the file. */
    private static final Set<String> REQUIRED = Set.of(
            "hidden_size",
            "intermediate_size",
            "num_hidden_layers",
            "num_attention_heads",
            "max_position_embeddings",
            "rms_norm_eps",
            "layer_norm_eps",
            "norm_epsilon",
            "num_experts_per_tok");

    /** Every end token a GGUF file may name: of a text, of a turn, of a message. */
    private static final List<String> END_TOKENS = List.of("eos_token_id", "eot_token_id", "eom_token_id");

    private final GgufFile file;
    private final GgufMetadata metadata;
    private final GgufArchitecture architecture;
    private final GgufTensors tensors;
    private final ObjectNode json;

    private GgufConfig(GgufFile file, GgufArchitecture architecture, GgufTensors tensors) {
        this.file = file;
        this.metadata = file.metadata();
        this.architecture = architecture;
        this.tensors = tensors;
        this.json = JsonFile.parse(file.path(), architecture.constants().getBytes(StandardCharsets.UTF_8))
                .root();
    }

    /** @throws ServiceException {@code INVALID_MODEL} naming file and key that are missing, wrong, or not understood */
    static ObjectNode of(GgufFile file, GgufArchitecture architecture, GgufTensors tensors) {
        GgufConfig config = new GgufConfig(file, architecture, tensors);
        config.checkUnderstood();
        config.putKeys();
        config.putTensors();
        config.putRope();
        config.putTokens();
        return config.json;
    }

    private void checkUnderstood() {
        String prefix = architecture.id() + ".";
        for (String key : metadata.keys()) {
            String name = key.startsWith(prefix) ? key.substring(prefix.length()) : "";
            if (!name.isEmpty() && !KNOWN.contains(name) && !architecture.keys().containsValue(name) && !isZero(key)) {
                throw MappedFile.invalid(
                        file.path(), key + " is " + metadata.printed(key) + ", which is not understood");
            }
        }
        int headDim = tensors.headDim();
        int valueWidth = metadata.integer(prefix + "attention.value_length").orElse(headDim);
        if (valueWidth != headDim) {
            throw MappedFile.invalid(
                    file.path(),
                    prefix + "attention.value_length is " + valueWidth + "; only the head width " + headDim
                            + " is supported");
        }
    }

    private boolean isZero(String key) {
        return metadata.get(key).orElseThrow() instanceof Number number && number.doubleValue() == 0;
    }

    private void putKeys() {
        architecture.keys().forEach((name, key) -> {
            String full = architecture.id() + "." + key;
            if (REQUIRED.contains(name) && metadata.get(full).isEmpty()) {
                throw MappedFile.invalid(file.path(), "has no metadata key " + full);
            }
            if (metadata.get(full).filter(Double.class::isInstance).isPresent()) {
                metadata.number(full).ifPresent(value -> json.put(name, decimal(value)));
            } else {
                metadata.integer(full).ifPresent(value -> json.put(name, value));
            }
        });
        if (architecture == GgufArchitecture.PHI3
                && metadata.get("phi3.attention.sliding_window").isEmpty()) {
            // files of the first months leave it out; the 4k models have it, as llama.cpp knows
            json.put("sliding_window", json.path("max_position_embeddings").asInt() == 4096 ? 2047 : 0);
        }
        if (json.path("sliding_window").asInt(1) == 0) {
            json.putNull("sliding_window");
        }
    }

    private void putTensors() {
        json.put(
                "vocab_size",
                metadata.integer(architecture.id() + ".vocab_size")
                        .or(() -> file.info("token_embd.weight").map(TensorInfo::rows))
                        .orElseThrow(() -> MappedFile.invalid(file.path(), "has no tensor token_embd.weight")));
        json.put("tie_word_embeddings", file.info("output.weight").isEmpty());
        if (architecture == GgufArchitecture.LLAMA) {
            json.put("attention_bias", has("q_proj.bias"));
            json.put("mlp_bias", has("up_proj.bias"));
        }
        if (architecture == GgufArchitecture.GEMMA2) {
            // Not in the file. The 27B model scales by hidden / heads, which differs from its head width; so does
            // llama.cpp.
            int layers = json.path("num_hidden_layers").asInt();
            int heads = Math.max(1, json.path("num_attention_heads").asInt());
            json.put(
                    "query_pre_attn_scalar",
                    layers == 46 ? json.path("hidden_size").asInt() / heads : tensors.headDim());
        }
    }

    private boolean has(String suffix) {
        return tensors.places().keySet().stream().anyMatch(name -> name.endsWith(suffix));
    }

    private void putRope() {
        int headDim = tensors.headDim();
        String key = architecture.id() + ".rope.dimension_count";
        int rotated = metadata.integer(key).orElse(headDim);
        if (rotated > headDim || rotated < 1) {
            throw MappedFile.invalid(file.path(), key + " is " + rotated + "; a head is " + headDim + " wide");
        }
        if (rotated < headDim) {
            json.put("partial_rotary_factor", (double) rotated / headDim);
        }
        new GgufRope(file, architecture.id(), rotated)
                .scaling(json)
                .ifPresent(scaling -> json.set("rope_scaling", scaling));
    }

    private void putTokens() {
        metadata.integer("tokenizer.ggml.bos_token_id").ifPresent(id -> json.put("bos_token_id", id));
        ArrayNode ends = json.putArray("eos_token_id");
        END_TOKENS.stream()
                .map(name -> metadata.integer("tokenizer.ggml." + name))
                .flatMap(Optional::stream)
                .distinct()
                .forEach(ends::add);
    }

    /** The shortest decimal that rounds to a binary32: what stood in config.json, 1e-5 and not 9.999999747378752e-6. */
    static double decimal(double value) {
        return Double.parseDouble(Float.toString((float) value));
    }
}
