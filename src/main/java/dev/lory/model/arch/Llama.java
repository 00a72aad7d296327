package dev.lory.model.arch;

import dev.lory.format.ModelConfig;
import dev.lory.model.Architecture;
import dev.lory.model.DecoderSpec;
import dev.lory.model.DecoderSpec.NormKind;

/** Llama (arXiv:2302.13971, arXiv:2307.09288): RMS norms, rotary positions, grouped heads, gated SiLU. */
final class Llama {
    static final Architecture ARCHITECTURE = new Architecture("LlamaForCausalLM", Llama::spec);

    private Llama() {}

    private static DecoderSpec spec(ModelConfig config) {
        Keys keys = new Keys(config);
        DecoderSpec.Heads heads = keys.heads(config.heads(), keys.perHead(), false);
        RopeKeys.Positions positions = RopeKeys.whole(config, heads.dim(), 10000, 2048);
        boolean bias = keys.json().flag("attention_bias", false);
        return keys.spec(
                positions.maxPositions(),
                keys.norm(NormKind.RMS, "rms_norm_eps", 1e-6),
                new DecoderSpec.Attention(
                        heads,
                        positions.rope(),
                        keys.plainScores(heads, keys.noWindows()),
                        keys.split(heads, bias),
                        keys.output("self_attn.o_proj", heads, bias),
                        false),
                keys.gated(keys.activation("hidden_act", "silu"), keys.json().flag("mlp_bias", false)),
                keys.tied(false));
    }
}
