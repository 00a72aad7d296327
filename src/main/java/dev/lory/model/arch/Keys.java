package dev.lory.model.arch;

import dev.lory.format.JsonFile;
import dev.lory.format.ModelConfig;
import dev.lory.kernel.Activation;
import dev.lory.model.DecoderSpec;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.OptionalInt;
import java.util.function.IntPredicate;

/** What several architectures spell alike in {@code config.json}; what an absent key means, each says itself, as in transformers. */
final class Keys {
    private static final int NO_WINDOW = Integer.MAX_VALUE;

    private final ModelConfig config;
    private final JsonFile json;

    Keys(ModelConfig config) {
        this.config = config;
        this.json = config.keys();
        if (json.flag("use_bidirectional_attention", false)) {
            throw json.invalid("use_bidirectional_attention is true, which is not supported");
        }
    }

    JsonFile json() {
        return json;
    }

    /** @param absent kv heads where the key is absent; where it is null they are as many as query heads */
    DecoderSpec.Heads heads(int absentKvHeads, int absentHeadDim, boolean normed) {
        int kvHeads = json.count("num_key_value_heads", absentWithoutKey("num_key_value_heads", absentKvHeads));
        int dim = json.count("head_dim", json.has("head_dim") ? perHead() : absentHeadDim);
        if (config.heads() % kvHeads != 0) {
            throw json.invalid("num_attention_heads is " + config.heads()
                    + ", no multiple of num_key_value_heads, which is " + kvHeads + " where it is absent");
        }
        return new DecoderSpec.Heads(config.heads(), kvHeads, dim, normed);
    }

    private int absentWithoutKey(String key, int absent) {
        return json.has(key) ? config.heads() : absent;
    }

    /** The width of a head where nothing says otherwise: {@code hidden_size / num_attention_heads}. */
    int perHead() {
        return Math.max(1, config.hiddenSize() / config.heads());
    }

    /** Gemma's and most others' scale: {@code 1 / √head_dim}; no cap. */
    DecoderSpec.Scores plainScores(DecoderSpec.Heads heads, List<Integer> windows) {
        return new DecoderSpec.Scores((float) (1 / Math.sqrt(heads.dim())), 0, windows);
    }

    /** q, k and v, each a linear of its own. */
    List<DecoderSpec.Linear> split(DecoderSpec.Heads heads, boolean bias) {
        int hidden = config.hiddenSize();
        return List.of(
                DecoderSpec.Linear.of("self_attn.q_proj", hidden, heads.width(), bias),
                DecoderSpec.Linear.of("self_attn.k_proj", hidden, heads.kvWidth(), bias),
                DecoderSpec.Linear.of("self_attn.v_proj", hidden, heads.kvWidth(), bias));
    }

    /** The linear after attention. */
    DecoderSpec.Linear output(String module, DecoderSpec.Heads heads, boolean bias) {
        return DecoderSpec.Linear.of(module, heads.width(), config.hiddenSize(), bias);
    }

    /** The usual MLP of gate, up and down. */
    DecoderSpec.Gated gated(Activation activation, boolean bias) {
        return gated(activation, "mlp.gate_proj", "mlp.up_proj", "mlp.down_proj", bias);
    }

    DecoderSpec.Gated gated(Activation activation, String gate, String up, String down, boolean bias) {
        int hidden = config.hiddenSize();
        int width = config.intermediateSize();
        return new DecoderSpec.Gated(
                activation,
                List.of(
                        DecoderSpec.Linear.of(gate, hidden, width, bias),
                        DecoderSpec.Linear.of(up, hidden, width, bias)),
                DecoderSpec.Linear.of(down, width, hidden, bias));
    }

    /** An MLP of two linears. */
    DecoderSpec.Plain plain(Activation activation, String up, String down, boolean bias) {
        return new DecoderSpec.Plain(
                activation,
                DecoderSpec.Linear.of(up, config.hiddenSize(), config.intermediateSize(), bias),
                DecoderSpec.Linear.of(down, config.intermediateSize(), config.hiddenSize(), bias));
    }

    /** A norm whose epsilon is under {@code key}. */
    DecoderSpec.Norm norm(DecoderSpec.NormKind kind, String key, double absent) {
        return new DecoderSpec.Norm(kind, (float) json.number(key, absent));
    }

    boolean tied(boolean absent) {
        return json.flag("tie_word_embeddings", absent);
    }

    /** @throws dev.lory.error.ServiceException {@code INVALID_MODEL} naming a function that is not one of transformers' names known here */
    Activation activation(String key, String absent) {
        String name = json.text(key).orElse(absent);
        return switch (name) {
            case "silu", "swish" -> Activation.SILU;
            case "gelu", "gelu_python" -> Activation.GELU;
            case "gelu_new", "gelu_pytorch_tanh", "gelu_python_tanh", "gelu_fast", "gelu_accurate" ->
                Activation.GELU_TANH;
            default ->
                throw json.invalid(key + " is " + name
                        + "; supported are silu, swish, gelu, gelu_python, gelu_new, gelu_pytorch_tanh, gelu_python_tanh,"
                        + " gelu_fast, gelu_accurate");
        };
    }

    /** For an architecture without windows: all layers see all positions. */
    List<Integer> noWindows() {
        json.get("sliding_window").ifPresent(value -> {
            throw json.invalid("sliding_window is " + value + ", which " + config.architecture() + " does not have");
        });
        return windows(OptionalInt.empty(), layer -> false);
    }

    /**
     * The window under {@code sliding_window}, in every layer if there is one: these architectures do not read {@code layer_types}, which
     * may therefore not say otherwise.
     */
    List<Integer> windows(OptionalInt absent) {
        OptionalInt window = window(absent);
        List<Integer> same = Collections.nCopies(config.layers(), window.orElse(NO_WINDOW));
        if (!windows(window, layer -> true).equals(same)) {
            throw json.invalid("layer_types is " + json.texts("layer_types") + ", but all layers of "
                    + config.architecture() + " are alike");
        }
        return same;
    }

    /** What {@code sliding_window} says: null is none. */
    OptionalInt window(OptionalInt absent) {
        if (!json.has("sliding_window")) {
            return absent;
        }
        return json.get("sliding_window").isEmpty()
                ? OptionalInt.empty()
                : OptionalInt.of(json.count("sliding_window"));
    }

    /**
     * By layer.
     *
     * @param window empty = there is none
     * @param sliding which layers have it unless {@code layer_types} says so
     */
    List<Integer> windows(OptionalInt window, IntPredicate sliding) {
        List<String> types = json.texts("layer_types");
        if (!types.isEmpty() && types.size() != config.layers()) {
            throw json.invalid(
                    "layer_types has " + types.size() + " entries but num_hidden_layers is " + config.layers());
        }
        List<Integer> windows = new ArrayList<>();
        for (int layer = 0; layer < config.layers(); layer++) {
            boolean slides = types.isEmpty() ? sliding.test(layer) : isSliding(types.get(layer));
            if (slides && !types.isEmpty() && window.isEmpty()) {
                throw json.invalid("layer_types asks for sliding_attention but there is no sliding_window");
            }
            windows.add(slides ? window.orElse(NO_WINDOW) : NO_WINDOW);
        }
        return windows;
    }

    private boolean isSliding(String type) {
        return switch (type) {
            case "sliding_attention" -> true;
            case "full_attention" -> false;
            default ->
                throw json.invalid("layer_types has " + type + "; supported are full_attention and sliding_attention");
        };
    }

    /** Starts a spec: sequential, RMS, the final norm at {@code model.norm}. */
    DecoderSpec spec(
            int maxPositions,
            DecoderSpec.Norm norm,
            DecoderSpec.Attention attention,
            DecoderSpec.Mlp mlp,
            boolean tied) {
        return new DecoderSpec(
                config.vocabSize(),
                config.hiddenSize(),
                config.layers(),
                maxPositions,
                norm,
                "model.norm",
                DecoderSpec.Residual.SEQUENTIAL,
                attention,
                mlp,
                1,
                new DecoderSpec.Head(tied, false, 0));
    }
}
