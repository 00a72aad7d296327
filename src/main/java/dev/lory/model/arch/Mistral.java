package dev.lory.model.arch;

import dev.lory.format.ModelConfig;
import dev.lory.model.Architecture;
import dev.lory.model.DecoderSpec;
import dev.lory.model.DecoderSpec.NormKind;
import java.util.OptionalInt;

/** Mistral (arXiv:2310.06825): Llama with a sliding window. */
final class Mistral {
    static final Architecture ARCHITECTURE = new Architecture("MistralForCausalLM", Mistral::spec);

    private Mistral() {}

    private static DecoderSpec spec(ModelConfig config) {
        Keys keys = new Keys(config);
        DecoderSpec.Heads heads = keys.heads(8, keys.perHead(), false);
        RopeKeys.Positions positions = RopeKeys.whole(config, heads.dim(), 10000, 4096 * 32);
        return keys.spec(
                positions.maxPositions(),
                keys.norm(NormKind.RMS, "rms_norm_eps", 1e-6),
                new DecoderSpec.Attention(
                        heads,
                        positions.rope(),
                        keys.plainScores(heads, keys.windows(keys.window(OptionalInt.of(4096)), layer -> true)),
                        keys.split(heads, false),
                        keys.output("self_attn.o_proj", heads, false),
                        false),
                keys.gated(keys.activation("hidden_act", "silu"), false),
                keys.tied(false));
    }
}
