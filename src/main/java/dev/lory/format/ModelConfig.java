package dev.lory.format;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.lory.error.ServiceException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.OptionalInt;
import java.util.Set;

/**
 * A model's configuration in the keys of Hugging Face's {@code config.json}, whatever file it comes from. Which keys count, and what
 * it means if one is absent, is for the architecture to say, as in transformers; what no architecture could make sense of is
 * refused here.
 */
public final class ModelConfig {
    private static final int MAX_COUNT = 1024;

    private final JsonFile keys;
    private final String architecture;
    private final List<Integer> eosTokenIds;

    private ModelConfig(JsonFile keys, List<Integer> moreEosTokenIds) {
        this.keys = keys;
        this.architecture = readArchitecture();
        Set<Integer> ids = new LinkedHashSet<>(tokenIds(keys, "eos_token_id"));
        ids.addAll(moreEosTokenIds);
        this.eosTokenIds = List.copyOf(ids);
        keys.get("quantization_config").ifPresent(value -> {
            throw keys.invalid("quantization_config is " + value + ", which is not supported");
        });
        checkSizes();
        checkNumbers();
    }

    /**
     * Reads {@code config.json}, and further end tokens from {@code generation_config.json} beside it.
     *
     * @throws ServiceException {@code INVALID_MODEL} naming file, key and value that are wrong
     */
    public static ModelConfig read(Path configJson) {
        Path generation = configJson.resolveSibling("generation_config.json");
        return new ModelConfig(
                JsonFile.read(configJson),
                Files.isRegularFile(generation) ? tokenIds(JsonFile.read(generation), "eos_token_id") : List.of());
    }

    /**
     * What another file says in the keys of {@code config.json}.
     *
     * @param file for messages
     * @throws ServiceException as {@link #read}
     */
    static ModelConfig of(Path file, ObjectNode keys) {
        return new ModelConfig(new JsonFile(file, keys), List.of());
    }

    /** The keys themselves. */
    public JsonFile keys() {
        return keys;
    }

    /** The class in transformers, such as {@code LlamaForCausalLM}. */
    public String architecture() {
        return architecture;
    }

    /** Rows of the embedding. */
    public int vocabSize() {
        return keys.count("vocab_size");
    }

    /** Width of the residual stream. */
    public int hiddenSize() {
        return keys.count("hidden_size");
    }

    /** Width inside the MLP. */
    public int intermediateSize() {
        return keys.count("intermediate_size");
    }

    /** Decoder layers. */
    public int layers() {
        return keys.count("num_hidden_layers");
    }

    /** Query heads. */
    public int heads() {
        return keys.count("num_attention_heads");
    }

    /** The token that begins a text, if the model has one. */
    public OptionalInt bosTokenId() {
        List<Integer> ids = tokenIds(keys, "bos_token_id");
        return ids.isEmpty() ? OptionalInt.empty() : OptionalInt.of(ids.getFirst());
    }

    /** The tokens that end a generation, possibly none. */
    public List<Integer> eosTokenIds() {
        return eosTokenIds;
    }

    private String readArchitecture() {
        if (keys.get("architectures").isEmpty()) {
            // the kind of model names its class, but for the first letter
            return keys.text("model_type")
                    .filter(type -> !type.isEmpty())
                    .map(type -> type.substring(0, 1).toUpperCase(Locale.ROOT) + type.substring(1) + "ForCausalLM")
                    .orElseThrow(() -> keys.invalid("has neither architectures nor model_type"));
        }
        JsonNode names = keys.get("architectures").orElseThrow();
        if (!names.isArray() || names.size() != 1 || !names.get(0).isTextual()) {
            throw keys.wrong("architectures", names, "a list of one name");
        }
        return names.get(0).textValue();
    }

    private void checkSizes() {
        vocabSize();
        hiddenSize();
        intermediateSize();
        layers();
        // No model comes near: what is beyond would be lists of that length, and products that overflow.
        for (String key : List.of("num_hidden_layers", "num_attention_heads", "head_dim", "num_local_experts")) {
            if (keys.count(key, 1) > MAX_COUNT) {
                throw keys.invalid(key + " is " + keys.count(key) + " but may be " + MAX_COUNT + " at most");
            }
        }
        keys.count("max_position_embeddings", 1);
        int heads = heads();
        int kvHeads = keys.count("num_key_value_heads", heads);
        if (heads % kvHeads != 0) {
            throw keys.invalid("num_attention_heads is " + heads + ", no multiple of num_key_value_heads, " + kvHeads);
        }
        int headDim = keys.count("head_dim", 2);
        if (headDim % 2 != 0) {
            throw keys.invalid("head_dim is " + headDim + " but must be even to be rotated");
        }
    }

    private void checkNumbers() {
        for (String key : List.of("rms_norm_eps", "layer_norm_eps", "norm_epsilon")) {
            double eps = keys.number(key, 0);
            if (!(eps >= 0) || Double.isInfinite(eps)) {
                throw keys.invalid(key + " is " + eps + " but must be a small positive number");
            }
        }
        double theta = keys.number("rope_theta", 1);
        if (!(theta > 0) || Double.isInfinite(theta)) {
            throw keys.invalid("rope_theta is " + theta + " but must be positive");
        }
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
