package dev.lory.format;

import dev.lory.error.ServiceException;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * How llama.cpp's converter writes the models of one architecture: which names tensors and keys have there and in
 * transformers, and what was done to a tensor. One constant for each; what they share is one table.
 *
 * @param id {@code general.architecture}
 * @param constants of config.json, as JSON, where the file does not say otherwise
 * @param keys of config.json, each with the metadata key below {@code id} that has its value
 * @param model tensors of the whole model by their GGUF names, without {@code .weight}
 * @param layers tensors of a layer, without {@code blk.0.} and {@code model.layers.0.}
 */
record GgufArchitecture(
        String id, String constants, Map<String, String> keys, Map<String, Rule> model, Map<String, Rule> layers) {

    /** What the converter did to a tensor. */
    enum Change {
        SAME,
        /** Rows 2j and 2j+1 of a head are j and j + half of transformers: ggml rotates neighbours in a llama. */
        INTERLEAVED,
        /** 1 was added, because ggml's norm multiplies by the weight itself. */
        PLUS_ONE,
        /** The experts' matrices are one. */
        STACKED,
        /** q, k and v are one. */
        FUSED
    }

    /**
     * One line of a table.
     *
     * @param names in transformers, {@code #} for the expert; several for a {@link Change#FUSED} tensor
     * @param bias whether it may have a bias
     */
    record Rule(List<String> names, Change change, boolean bias) {}

    private static final String KEYS = """
            hidden_size             embedding_length
            intermediate_size       feed_forward_length
            num_hidden_layers       block_count
            num_attention_heads     attention.head_count
            num_key_value_heads     attention.head_count_kv
            head_dim                attention.key_length
            max_position_embeddings context_length
            rope_theta              rope.freq_base
            """;
    private static final String RMS = "rms_norm_eps attention.layer_norm_rms_epsilon\n";
    private static final String WINDOW = "sliding_window attention.sliding_window\n";

    private static final String MODEL = """
            token_embd   model.embed_tokens
            output_norm  model.norm
            output       lm_head
            """;
    private static final String ATTENTION = """
            attn_norm    input_layernorm
            attn_q       self_attn.q_proj
            attn_k       self_attn.k_proj
            attn_v       self_attn.v_proj
            attn_output  self_attn.o_proj
            ffn_norm     post_attention_layernorm
            """;
    private static final String GATED_MLP = """
            ffn_gate     mlp.gate_proj
            ffn_up       mlp.up_proj
            ffn_down     mlp.down_proj
            """;

    /** Also Mistral, which differs in the name only. */
    static final GgufArchitecture LLAMA = of(
            "llama",
            "{'architectures': ['LlamaForCausalLM'], 'hidden_act': 'silu'}",
            KEYS + RMS,
            MODEL,
            ATTENTION + GATED_MLP + """
                    attn_q       self_attn.q_proj  INTERLEAVED bias
                    attn_k       self_attn.k_proj  INTERLEAVED bias
                    attn_v       self_attn.v_proj  SAME bias
                    attn_output  self_attn.o_proj  SAME bias
                    ffn_gate     mlp.gate_proj     SAME bias
                    ffn_up       mlp.up_proj       SAME bias
                    ffn_down     mlp.down_proj     SAME bias
                    """);

    /** A llama with experts, in one tensor or, until April 2024, in one each. */
    static final GgufArchitecture MIXTRAL = of(
            "llama",
            "{'architectures': ['MixtralForCausalLM'], 'hidden_act': 'silu'}",
            KEYS + RMS + """
                    num_local_experts    expert_count
                    num_experts_per_tok  expert_used_count
                    """,
            MODEL,
            ATTENTION + """
                    attn_q         self_attn.q_proj               INTERLEAVED
                    attn_k         self_attn.k_proj               INTERLEAVED
                    ffn_gate_inp   block_sparse_moe.gate
                    ffn_gate_exps  block_sparse_moe.experts.#.w1  STACKED
                    ffn_down_exps  block_sparse_moe.experts.#.w2  STACKED
                    ffn_up_exps    block_sparse_moe.experts.#.w3  STACKED
                    ffn_gate.#     block_sparse_moe.experts.#.w1
                    ffn_down.#     block_sparse_moe.experts.#.w2
                    ffn_up.#       block_sparse_moe.experts.#.w3
                    """);

    static final GgufArchitecture QWEN2 = of(
            "qwen2",
            "{'architectures': ['Qwen2ForCausalLM'], 'hidden_act': 'silu'}",
            KEYS + RMS,
            MODEL,
            ATTENTION + GATED_MLP + """
                    attn_q  self_attn.q_proj  SAME bias
                    attn_k  self_attn.k_proj  SAME bias
                    attn_v  self_attn.v_proj  SAME bias
                    """);

    static final GgufArchitecture QWEN3 = of(
            "qwen3",
            "{'architectures': ['Qwen3ForCausalLM'], 'hidden_act': 'silu'}",
            KEYS + RMS,
            MODEL,
            ATTENTION + GATED_MLP + """
                    attn_q_norm  self_attn.q_norm
                    attn_k_norm  self_attn.k_norm
                    """);

    static final GgufArchitecture GEMMA = of(
            "gemma",
            "{'architectures': ['GemmaForCausalLM'], 'hidden_act': 'gelu_pytorch_tanh'}",
            KEYS + RMS,
            MODEL + "output_norm model.norm PLUS_ONE",
            ATTENTION + GATED_MLP + """
                    attn_norm  input_layernorm           PLUS_ONE
                    ffn_norm   post_attention_layernorm  PLUS_ONE
                    """);

    /** Window and caps are those of the release where an early file does not have them. */
    static final GgufArchitecture GEMMA2 = of(
            "gemma2",
            "{'architectures': ['Gemma2ForCausalLM'], 'hidden_activation': 'gelu_pytorch_tanh', 'sliding_window': 4096,"
                    + " 'attn_logit_softcapping': 50.0, 'final_logit_softcapping': 30.0}",
            KEYS + RMS + WINDOW + """
                    attn_logit_softcapping   attn_logit_softcapping
                    final_logit_softcapping  final_logit_softcapping
                    """,
            MODEL + "output_norm model.norm PLUS_ONE",
            ATTENTION + GATED_MLP + """
                    attn_norm            input_layernorm             PLUS_ONE
                    post_attention_norm  post_attention_layernorm    PLUS_ONE
                    ffn_norm             pre_feedforward_layernorm   PLUS_ONE
                    post_ffw_norm        post_feedforward_layernorm  PLUS_ONE
                    """);

    /** Files made from Microsoft's own first format have q, k and v in one. */
    static final GgufArchitecture PHI2 = of(
            "phi2",
            "{'architectures': ['PhiForCausalLM'], 'hidden_act': 'gelu_new'}",
            KEYS + "layer_norm_eps attention.layer_norm_epsilon",
            """
                    token_embd   model.embed_tokens
                    output_norm  model.final_layernorm  SAME bias
                    output       lm_head                SAME bias
                    """,
            """
                    attn_norm    input_layernorm   SAME bias
                    attn_q       self_attn.q_proj  SAME bias
                    attn_k       self_attn.k_proj  SAME bias
                    attn_v       self_attn.v_proj  SAME bias
                    attn_qkv     self_attn.q_proj,self_attn.k_proj,self_attn.v_proj  FUSED bias
                    attn_output  self_attn.dense   SAME bias
                    ffn_up       mlp.fc1           SAME bias
                    ffn_down     mlp.fc2           SAME bias
                    """);

    static final GgufArchitecture PHI3 = of(
            "phi3",
            "{'architectures': ['Phi3ForCausalLM'], 'hidden_act': 'silu'}",
            KEYS + RMS + WINDOW + "original_max_position_embeddings rope.scaling.original_context_length",
            MODEL,
            """
                    attn_norm    input_layernorm
                    attn_qkv     self_attn.qkv_proj
                    attn_output  self_attn.o_proj
                    ffn_norm     post_attention_layernorm
                    ffn_up       mlp.gate_up_proj
                    ffn_down     mlp.down_proj
                    """);

    static final GgufArchitecture STARCODER2 = of(
            "starcoder2",
            "{'architectures': ['Starcoder2ForCausalLM'], 'hidden_act': 'gelu_pytorch_tanh', 'use_bias': true}",
            KEYS + WINDOW + "norm_epsilon attention.layer_norm_epsilon",
            MODEL + "output_norm model.norm SAME bias",
            """
                    attn_norm    input_layernorm           SAME bias
                    attn_q       self_attn.q_proj          SAME bias
                    attn_k       self_attn.k_proj          SAME bias
                    attn_v       self_attn.v_proj          SAME bias
                    attn_output  self_attn.o_proj          SAME bias
                    ffn_norm     post_attention_layernorm  SAME bias
                    ffn_up       mlp.c_fc                  SAME bias
                    ffn_down     mlp.c_proj                SAME bias
                    """);

    private static final List<GgufArchitecture> ALL =
            List.of(LLAMA, QWEN2, QWEN3, GEMMA, GEMMA2, PHI2, PHI3, STARCODER2);

    /** @throws ServiceException {@code INVALID_MODEL} naming the architecture if it is not supported */
    static GgufArchitecture of(GgufMetadata metadata) {
        String id = metadata.required("general.architecture", metadata::string);
        if (id.equals("llama") && metadata.integer("llama.expert_count").orElse(0) > 0) {
            return MIXTRAL;
        }
        return ALL.stream()
                .filter(architecture -> architecture.id.equals(id))
                .findFirst()
                .orElseThrow(() -> MappedFile.invalid(
                        metadata.path(),
                        "the architecture " + id + " is not supported; supported are "
                                + String.join(
                                        ", ",
                                        ALL.stream().map(GgufArchitecture::id).toList())));
    }

    private static GgufArchitecture of(String id, String constants, String keys, String model, String layers) {
        Map<String, String> keyTable = new LinkedHashMap<>();
        keys.lines().map(GgufArchitecture::words).forEach(words -> keyTable.put(words.get(0), words.get(1)));
        return new GgufArchitecture(id, constants.replace('\'', '"'), keyTable, rules(model), rules(layers));
    }

    /** A later line for the same tensor replaces an earlier one. */
    private static Map<String, Rule> rules(String table) {
        Map<String, Rule> rules = new LinkedHashMap<>();
        table.lines().map(GgufArchitecture::words).forEach(words -> {
            Change change = words.size() < 3 ? Change.SAME : Change.valueOf(words.get(2));
            rules.put(
                    words.get(0),
                    new Rule(
                            List.of(words.get(1).split(",")),
                            change,
                            words.getLast().equals("bias")));
        });
        return rules;
    }

    private static List<String> words(String line) {
        return Arrays.asList(line.strip().split("\\s+"));
    }
}
