package dev.lory.model.arch;

import dev.lory.error.ErrorCode;
import dev.lory.error.ServiceException;
import dev.lory.format.ModelConfig;
import dev.lory.kernel.Activation;
import dev.lory.model.Architecture;
import dev.lory.model.DecoderSpec;

/** Llama (arXiv:2302.13971, arXiv:2307.09288): RMS norms, rotary positions, grouped heads, gated SiLU. */
final class Llama {
    static final Architecture ARCHITECTURE = new Architecture("LlamaForCausalLM", Llama::spec);

    private Llama() {}

    private static DecoderSpec spec(ModelConfig config) {
        if (config.attentionBias() || config.mlpBias()) {
            throw new ServiceException(ErrorCode.INVALID_MODEL, "biases (attention_bias, mlp_bias) are not supported");
        }
        return new DecoderSpec(
                config.vocabSize(),
                config.hiddenSize(),
                config.layers(),
                config.maxPositionEmbeddings(),
                (float) config.normEps(),
                new DecoderSpec.Attention(config.heads(), config.kvHeads(), config.headDim(), config.ropeTheta()),
                new DecoderSpec.Mlp(config.intermediateSize(), Activation.SILU),
                config.tieWordEmbeddings());
    }
}
