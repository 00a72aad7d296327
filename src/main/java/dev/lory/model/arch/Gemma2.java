package dev.lory.model.arch;

import dev.lory.format.ModelConfig;
import dev.lory.model.Architecture;
import dev.lory.model.DecoderSpec;
import dev.lory.model.DecoderSpec.NormKind;
import java.util.OptionalInt;

/** Gemma 2 (arXiv:2408.00118): sandwich norms, soft caps, a window in every other layer. */
final class Gemma2 {
    static final Architecture ARCHITECTURE = new Architecture("Gemma2ForCausalLM", Gemma2::spec);

    private Gemma2() {}

    private static DecoderSpec spec(ModelConfig config) {
        Keys keys = new Keys(config);
        DecoderSpec.Heads heads = keys.heads(4, 256, false);
        RopeKeys.Positions positions = RopeKeys.whole(config, heads.dim(), 10000, 8192);
        boolean bias = keys.json().flag("attention_bias", false);
        int scalar = keys.json().count("query_pre_attn_scalar", 256);
        return new DecoderSpec(
                config.vocabSize(),
                config.hiddenSize(),
                config.layers(),
                positions.maxPositions(),
                keys.norm(NormKind.RMS_UNIT_OFFSET, "rms_norm_eps", 1e-6),
                "model.norm",
                DecoderSpec.Residual.SANDWICH,
                new DecoderSpec.Attention(
                        heads,
                        positions.rope(),
                        new DecoderSpec.Scores(
                                (float) (1 / Math.sqrt(scalar)),
                                cap(keys, "attn_logit_softcapping", 50),
                                keys.windows(keys.window(OptionalInt.of(4096)), layer -> layer % 2 == 0)),
                        keys.split(heads, bias),
                        keys.output("self_attn.o_proj", heads, bias),
                        false),
                keys.gated(keys.activation("hidden_activation", "gelu_pytorch_tanh"), false),
                (float) Math.sqrt(config.hiddenSize()),
                new DecoderSpec.Head(keys.tied(true), false, cap(keys, "final_logit_softcapping", 30)));
    }

    /** Null is none. */
    private static float cap(Keys keys, String key, double absent) {
        double cap = keys.json().number(key, keys.json().has(key) ? 0 : absent);
        if (cap < 0 || keys.json().get(key).isPresent() && !(cap > 0)) {
            throw keys.json().invalid(key + " is " + cap + " but must be positive");
        }
        return (float) cap;
    }
}
