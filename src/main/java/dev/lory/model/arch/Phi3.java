package dev.lory.model.arch;

import dev.lory.format.ModelConfig;
import dev.lory.model.Architecture;
import dev.lory.model.DecoderSpec;
import dev.lory.model.DecoderSpec.Linear;
import dev.lory.model.DecoderSpec.NormKind;
import java.util.List;
import java.util.OptionalInt;

/** Phi-3, 3.5 and 4-mini (arXiv:2404.14219): Llama with fused linears and LongRoPE. */
final class Phi3 {
    static final Architecture ARCHITECTURE = new Architecture("Phi3ForCausalLM", Phi3::spec);

    private Phi3() {}

    private static DecoderSpec spec(ModelConfig config) {
        Keys keys = new Keys(config);
        DecoderSpec.Heads heads = keys.heads(config.heads(), keys.perHead(), false);
        RopeKeys.Positions positions = RopeKeys.phi3(config, heads.dim());
        int hidden = config.hiddenSize();
        int width = config.intermediateSize();
        return keys.spec(
                positions.maxPositions(),
                keys.norm(NormKind.RMS, "rms_norm_eps", 1e-5),
                new DecoderSpec.Attention(
                        heads,
                        positions.rope(),
                        keys.plainScores(heads, keys.windows(OptionalInt.empty())),
                        List.of(Linear.fused(
                                "self_attn.qkv_proj", hidden, heads.width(), heads.kvWidth(), heads.kvWidth())),
                        keys.output("self_attn.o_proj", heads, false),
                        true),
                new DecoderSpec.Gated(
                        keys.activation("hidden_act", "silu"),
                        List.of(Linear.fused("mlp.gate_up_proj", hidden, width, width)),
                        Linear.of("mlp.down_proj", width, hidden, false)),
                keys.tied(false));
    }
}
