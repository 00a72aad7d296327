package dev.lory.model.arch;

import dev.lory.format.ModelConfig;
import dev.lory.model.Architecture;
import dev.lory.model.DecoderSpec;
import dev.lory.model.DecoderSpec.NormKind;

/** Phi-1, 1.5 and 2 (arXiv:2309.05463): layer norms and biases, attention beside the MLP, heads rotated in part. */
final class Phi {
    static final Architecture ARCHITECTURE = new Architecture("PhiForCausalLM", Phi::spec);

    private Phi() {}

    private static DecoderSpec spec(ModelConfig config) {
        Keys keys = new Keys(config);
        DecoderSpec.Heads heads =
                keys.heads(config.heads(), keys.perHead(), keys.json().flag("qk_layernorm", false));
        RopeKeys.Positions positions = RopeKeys.partial(config, heads.dim(), 10000, 2048, 0.5);
        return new DecoderSpec(
                config.vocabSize(),
                config.hiddenSize(),
                config.layers(),
                positions.maxPositions(),
                keys.norm(NormKind.LAYER, "layer_norm_eps", 1e-5),
                "model.final_layernorm",
                DecoderSpec.Residual.PARALLEL,
                new DecoderSpec.Attention(
                        heads,
                        positions.rope(),
                        keys.plainScores(heads, keys.noWindows()),
                        keys.split(heads, true),
                        keys.output("self_attn.dense", heads, true),
                        false),
                keys.plain(keys.activation("hidden_act", "gelu_new"), "mlp.fc1", "mlp.fc2", true),
                1,
                new DecoderSpec.Head(keys.tied(false), true, 0));
    }
}
