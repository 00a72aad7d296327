package dev.lory.model.arch;

import dev.lory.format.ModelConfig;
import dev.lory.model.Architecture;
import dev.lory.model.DecoderSpec;
import dev.lory.model.DecoderSpec.NormKind;
import java.util.List;
import java.util.OptionalInt;

/** Qwen 2 and 2.5 (arXiv:2407.10671): Llama with biases on q, k and v. Qwen 3 (arXiv:2505.09388): with norms on them instead. */
final class Qwen {
    static final Architecture TWO = new Architecture("Qwen2ForCausalLM", Qwen::two);
    static final Architecture THREE = new Architecture("Qwen3ForCausalLM", Qwen::three);

    private Qwen() {}

    private static DecoderSpec two(ModelConfig config) {
        Keys keys = new Keys(config);
        return spec(config, keys, keys.heads(32, keys.perHead(), false), true, false);
    }

    private static DecoderSpec three(ModelConfig config) {
        Keys keys = new Keys(config);
        boolean bias = keys.json().flag("attention_bias", false);
        return spec(config, keys, keys.heads(32, 128, true), bias, bias);
    }

    private static DecoderSpec spec(
            ModelConfig config, Keys keys, DecoderSpec.Heads heads, boolean inputBias, boolean outputBias) {
        RopeKeys.Positions positions = RopeKeys.whole(config, heads.dim(), 10000, 32768);
        return keys.spec(
                positions.maxPositions(),
                keys.norm(NormKind.RMS, "rms_norm_eps", 1e-6),
                new DecoderSpec.Attention(
                        heads,
                        positions.rope(),
                        keys.plainScores(heads, windows(keys)),
                        keys.split(heads, inputBias),
                        keys.output("self_attn.o_proj", heads, outputBias),
                        false),
                keys.gated(keys.activation("hidden_act", "silu"), false),
                keys.tied(false));
    }

    /** Layers from {@code max_window_layers} on have the window, if it is switched on at all. */
    private static List<Integer> windows(Keys keys) {
        int first = keys.json().integer("max_window_layers", 28);
        return keys.json().flag("use_sliding_window", false)
                ? keys.windows(keys.window(OptionalInt.of(4096)), layer -> layer >= first)
                : keys.windows(OptionalInt.empty(), layer -> false);
    }
}
