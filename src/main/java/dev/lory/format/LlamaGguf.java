package dev.lory.format;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.lory.error.ServiceException;
import dev.lory.tensor.Tensor;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * How a GGUF file of architecture {@code llama} stores a LlamaForCausalLM: under other names, and with the rows of q
 * and k interleaved within each head, because ggml rotates neighbours where transformers rotates halves.
 */
final class LlamaGguf {
    /** Metadata below {@code llama.} that would change what is computed unless it has one of {@link #NEUTRAL}. */
    private static final List<String> NOT_HONOURED = List.of(
            "expert_count",
            "attention.sliding_window",
            "attention.scale",
            "attention.clamp_kqv",
            "attention.max_alibi_bias",
            "logit_scale",
            "embedding_scale",
            "residual_scale",
            "rope.scale_linear",
            "rope.scaling.factor");

    private static final Set<String> NEUTRAL = Set.of("0", "0.0", "1.0");

    /** Every end token a GGUF file may name: of a text, of a turn, of a message. */
    private static final List<String> END_TOKENS = List.of("eos_token_id", "eot_token_id", "eom_token_id");

    /**
     * One tensor of the file.
     *
     * @param heads how many heads have their rows interleaved; 0 where nothing has moved
     */
    record Place(String ggufName, int heads) {}

    private final GgufFile file;
    private final GgufMetadata metadata;
    private final ModelConfig config;
    private final Map<String, Place> places = new LinkedHashMap<>();

    /** @throws ServiceException {@code INVALID_MODEL} unless the tensors are exactly those the metadata asks for */
    LlamaGguf(GgufFile file) {
        this.file = file;
        this.metadata = file.metadata();
        checkHonoured();
        this.config = readConfig();
        placeAll();
        checkNoneLeft();
    }

    ModelConfig config() {
        return config;
    }

    /** Where the tensor of each Hugging Face name is. */
    Map<String, Place> places() {
        return places;
    }

    private void checkHonoured() {
        for (String name : NOT_HONOURED) {
            String key = "llama." + name;
            metadata.printed(key).filter(value -> !NEUTRAL.contains(value)).ifPresent(value -> {
                throw MappedFile.invalid(file.path(), key + " is " + value + ", which is not supported");
            });
        }
        metadata.string("llama.rope.scaling.type")
                .filter(type -> !type.equals("none") && !type.equals("linear"))
                .ifPresent(type -> {
                    throw MappedFile.invalid(
                            file.path(), "llama.rope.scaling.type is " + type + ", which is not supported");
                });
        if (file.names().contains("rope_freqs.weight")) {
            throw MappedFile.invalid(
                    file.path(), "scales its rotary frequencies with rope_freqs.weight, which is not supported");
        }
    }

    /** The metadata in the keys of {@code config.json}. */
    private ModelConfig readConfig() {
        int hidden = required("embedding_length");
        int heads = required("attention.head_count");
        int headDim = integer("attention.key_length", hidden / Math.max(1, heads));
        checkIs("attention.value_length", headDim);
        checkIs("rope.dimension_count", headDim);
        ObjectNode keys = JsonNodeFactory.instance.objectNode();
        keys.putArray("architectures").add("LlamaForCausalLM");
        keys.put("vocab_size", integer("vocab_size", tensor("token_embd.weight").rows()));
        keys.put("hidden_size", hidden);
        keys.put("intermediate_size", required("feed_forward_length"));
        keys.put("num_hidden_layers", required("block_count"));
        keys.put("num_attention_heads", heads);
        keys.put("num_key_value_heads", integer("attention.head_count_kv", heads));
        keys.put("head_dim", headDim);
        keys.put("max_position_embeddings", required("context_length"));
        keys.put("rms_norm_eps", metadata.required("llama.attention.layer_norm_rms_epsilon", metadata::number));
        keys.put("rope_theta", metadata.number("llama.rope.freq_base").orElse(10000.0));
        keys.put("tie_word_embeddings", !file.names().contains("output.weight"));
        keys.put("attention_bias", file.names().contains("blk.0.attn_q.bias"));
        keys.put("mlp_bias", file.names().contains("blk.0.ffn_up.bias"));
        metadata.integer("tokenizer.ggml.bos_token_id").ifPresent(id -> keys.put("bos_token_id", id));
        eosTokenIds().forEach(keys.withArray("eos_token_id")::add);
        return ModelConfig.of(file.path(), keys);
    }

    private void placeAll() {
        int hidden = config.hiddenSize();
        place("model.embed_tokens.weight", "token_embd.weight", 0, config.vocabSize(), hidden);
        for (int layer = 0; layer < config.layers(); layer++) {
            placeLayer("model.layers." + layer + ".", "blk." + layer + ".");
        }
        place("model.norm.weight", "output_norm.weight", 0, 1, hidden);
        if (!config.keys().flag("tie_word_embeddings", false)) {
            place("lm_head.weight", "output.weight", 0, config.vocabSize(), hidden);
        }
    }

    private void placeLayer(String layer, String block) {
        int hidden = config.hiddenSize();
        int heads = config.heads();
        int kvHeads = config.keys().count("num_key_value_heads");
        int headDim = config.keys().count("head_dim");
        int queries = heads * headDim;
        int keys = kvHeads * headDim;
        int inner = config.intermediateSize();
        boolean mlpBias = config.keys().flag("mlp_bias", false);
        boolean bias = config.keys().flag("attention_bias", false);
        place(layer + "input_layernorm.weight", block + "attn_norm.weight", 0, 1, hidden);
        linear(layer + "self_attn.q_proj", block + "attn_q", heads, queries, hidden, bias);
        linear(layer + "self_attn.k_proj", block + "attn_k", kvHeads, keys, hidden, bias);
        linear(layer + "self_attn.v_proj", block + "attn_v", 0, keys, hidden, bias);
        linear(layer + "self_attn.o_proj", block + "attn_output", 0, hidden, queries, bias);
        place(layer + "post_attention_layernorm.weight", block + "ffn_norm.weight", 0, 1, hidden);
        linear(layer + "mlp.gate_proj", block + "ffn_gate", 0, inner, hidden, mlpBias);
        linear(layer + "mlp.up_proj", block + "ffn_up", 0, inner, hidden, mlpBias);
        linear(layer + "mlp.down_proj", block + "ffn_down", 0, hidden, inner, mlpBias);
    }

    private void linear(String name, String ggufName, int heads, int rows, int cols, boolean bias) {
        place(name + ".weight", ggufName + ".weight", heads, rows, cols);
        if (bias) {
            place(name + ".bias", ggufName + ".bias", heads, 1, rows);
        }
    }

    private void place(String name, String ggufName, int heads, int rows, int cols) {
        Tensor tensor = tensor(ggufName);
        if (tensor.rows() != rows || tensor.cols() != cols) {
            throw MappedFile.invalid(
                    file.path(),
                    "tensor " + ggufName + " is " + tensor + " but the metadata ask for [" + rows + ", " + cols + "]");
        }
        places.put(name, new Place(ggufName, heads));
    }

    private void checkNoneLeft() {
        Set<String> left = new LinkedHashSet<>(file.names());
        places.values().forEach(place -> left.remove(place.ggufName));
        if (!left.isEmpty()) {
            throw MappedFile.invalid(
                    file.path(),
                    "has the tensor " + left.iterator().next() + ", which a llama model as described does not have");
        }
    }

    private Tensor tensor(String ggufName) {
        return file.tensor(ggufName).orElseThrow(() -> MappedFile.invalid(file.path(), "has no tensor " + ggufName));
    }

    private int required(String name) {
        return metadata.required("llama." + name, metadata::integer);
    }

    private int integer(String name, int absent) {
        return metadata.integer("llama." + name).orElse(absent);
    }

    private void checkIs(String name, int wanted) {
        int value = integer(name, wanted);
        if (value != wanted) {
            throw MappedFile.invalid(
                    file.path(),
                    "llama." + name + " is " + value + "; only the head width " + wanted + " is supported");
        }
    }

    private List<Integer> eosTokenIds() {
        Set<Integer> ids = new LinkedHashSet<>();
        END_TOKENS.forEach(name -> metadata.integer("tokenizer.ggml." + name).ifPresent(ids::add));
        return List.copyOf(ids);
    }
}
