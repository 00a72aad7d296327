package dev.lory.model.arch;

import dev.lory.format.ModelConfig;
import dev.lory.kernel.Activation;
import dev.lory.model.Architecture;
import dev.lory.model.DecoderSpec;
import dev.lory.model.DecoderSpec.NormKind;
import java.util.OptionalInt;
import java.util.stream.IntStream;

/** Mixtral (arXiv:2401.04088): Mistral whose MLP is a choice of experts. */
final class Mixtral {
    static final Architecture ARCHITECTURE = new Architecture("MixtralForCausalLM", Mixtral::spec);

    private Mixtral() {}

    private static DecoderSpec spec(ModelConfig config) {
        Keys keys = new Keys(config);
        DecoderSpec.Heads heads = keys.heads(8, keys.perHead(), false);
        RopeKeys.Positions positions = RopeKeys.whole(config, heads.dim(), 1e6, 4096 * 32);
        return keys.spec(
                positions.maxPositions(),
                keys.norm(NormKind.RMS, "rms_norm_eps", 1e-5),
                new DecoderSpec.Attention(
                        heads,
                        positions.rope(),
                        keys.plainScores(heads, keys.windows(OptionalInt.empty())),
                        keys.split(heads, false),
                        keys.output("self_attn.o_proj", heads, false),
                        false),
                experts(config, keys),
                keys.tied(false));
    }

    private static DecoderSpec.Experts experts(ModelConfig config, Keys keys) {
        int count = keys.json().count("num_local_experts", 8);
        int chosen = keys.json().count("num_experts_per_tok", 2);
        if (chosen > count) {
            throw keys.json().invalid("num_experts_per_tok is " + chosen + " but num_local_experts is " + count);
        }
        Activation activation = keys.activation("hidden_act", "silu");
        return new DecoderSpec.Experts(
                DecoderSpec.Linear.of("block_sparse_moe.gate", config.hiddenSize(), count, false),
                chosen,
                IntStream.range(0, count)
                        .mapToObj(i -> "block_sparse_moe.experts." + i)
                        .map(path -> keys.gated(activation, path + ".w1", path + ".w3", path + ".w2", false))
                        .toList());
    }
}
