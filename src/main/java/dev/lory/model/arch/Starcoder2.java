package dev.lory.model.arch;

import dev.lory.format.ModelConfig;
import dev.lory.model.Architecture;
import dev.lory.model.DecoderSpec;
import dev.lory.model.DecoderSpec.NormKind;
import java.util.OptionalInt;

/** StarCoder 2 (arXiv:2402.19173): layer norms and biases, a plain GELU MLP, a sliding window. */
final class Starcoder2 {
    static final Architecture ARCHITECTURE = new Architecture("Starcoder2ForCausalLM", Starcoder2::spec);

    private Starcoder2() {}

    private static DecoderSpec spec(ModelConfig config) {
        Keys keys = new Keys(config);
        DecoderSpec.Heads heads = keys.heads(2, keys.perHead(), false);
        RopeKeys.Positions positions = RopeKeys.whole(config, heads.dim(), 10000, 4096);
        boolean bias = keys.json().flag("use_bias", true);
        return keys.spec(
                positions.maxPositions(),
                keys.norm(NormKind.LAYER, "norm_epsilon", 1e-5),
                new DecoderSpec.Attention(
                        heads,
                        positions.rope(),
                        keys.plainScores(heads, keys.windows(OptionalInt.empty())),
                        keys.split(heads, bias),
                        keys.output("self_attn.o_proj", heads, bias),
                        false),
                keys.plain(keys.activation("hidden_act", "gelu_pytorch_tanh"), "mlp.c_fc", "mlp.c_proj", bias),
                keys.tied(true));
    }
}
