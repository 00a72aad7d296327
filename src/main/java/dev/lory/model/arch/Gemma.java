package dev.lory.model.arch;

import dev.lory.format.ModelConfig;
import dev.lory.kernel.Activation;
import dev.lory.model.Architecture;
import dev.lory.model.DecoderSpec;
import dev.lory.model.DecoderSpec.NormKind;

/** Gemma (arXiv:2403.08295): norms of 1 + weight, gated GELU, scaled embeddings. */
final class Gemma {
    static final Architecture ARCHITECTURE = new Architecture("GemmaForCausalLM", Gemma::spec);

    private Gemma() {}

    private static DecoderSpec spec(ModelConfig config) {
        Keys keys = new Keys(config);
        DecoderSpec.Heads heads = keys.heads(16, 256, false);
        RopeKeys.Positions positions = RopeKeys.whole(config, heads.dim(), 10000, 8192);
        boolean bias = keys.json().flag("attention_bias", false);
        return new DecoderSpec(
                config.vocabSize(),
                config.hiddenSize(),
                config.layers(),
                positions.maxPositions(),
                keys.norm(NormKind.RMS_UNIT_OFFSET, "rms_norm_eps", 1e-6),
                "model.norm",
                DecoderSpec.Residual.SEQUENTIAL,
                new DecoderSpec.Attention(
                        heads,
                        positions.rope(),
                        keys.plainScores(heads, keys.noWindows()),
                        keys.split(heads, bias),
                        keys.output("self_attn.o_proj", heads, bias),
                        false),
                keys.gated(activation(keys), false),
                (float) Math.sqrt(config.hiddenSize()),
                new DecoderSpec.Head(keys.tied(true), false, 0));
    }

    /**
     * {@code hidden_act: gelu} of the first files means the tanh form. Transformers 4 read {@code hidden_activation} instead, which may
     * therefore not say otherwise.
     */
    private static Activation activation(Keys keys) {
        Activation named = keys.activation("hidden_act", "gelu_pytorch_tanh");
        Activation activation = named == Activation.GELU ? Activation.GELU_TANH : named;
        if (keys.json().get("hidden_activation").isPresent()
                && keys.activation("hidden_activation", "") != activation) {
            throw keys.json()
                    .invalid(
                            "hidden_activation is not what hidden_act says, and releases of transformers disagree which"
                                    + " of them counts");
        }
        return activation;
    }
}
