package dev.lory.format;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.lory.error.ErrorCode;
import dev.lory.error.ServiceException;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalInt;

/**
 * The fields of Hugging Face's {@code config.json} that decide what a model computes.
 *
 * @param architecture the class in transformers, such as {@code LlamaForCausalLM}
 * @param vocabSize rows of the embedding
 * @param hiddenSize width of the residual stream
 * @param intermediateSize width inside the MLP
 * @param layers decoder layers
 * @param heads query heads, a multiple of {@code kvHeads}
 * @param kvHeads key and value heads
 * @param headDim width of a head, even; {@code heads * headDim} need not be {@code hiddenSize}
 * @param maxPositionEmbeddings tokens the model was trained to look back on
 * @param normEps epsilon of the RMS norms
 * @param ropeTheta base of the rotary frequencies
 * @param tieWordEmbeddings whether the head is the embedding
 * @param attentionBias whether q, k, v and o projections have biases
 * @param mlpBias whether gate, up and down projections have biases
 * @param hiddenAct activation of the MLP by its transformers name; {@code silu} is the only one known
 * @param bosTokenId the token that begins a text, if the model has one
 * @param eosTokenIds the tokens that end a generation, possibly none
 */
public record ModelConfig(
        String architecture,
        int vocabSize,
        int hiddenSize,
        int intermediateSize,
        int layers,
        int heads,
        int kvHeads,
        int headDim,
        int maxPositionEmbeddings,
        double normEps,
        double ropeTheta,
        boolean tieWordEmbeddings,
        boolean attentionBias,
        boolean mlpBias,
        String hiddenAct,
        OptionalInt bosTokenId,
        List<Integer> eosTokenIds) {
    /** The architectures that can be computed. */
    private static final List<String> ARCHITECTURES = List.of("LlamaForCausalLM");

    public ModelConfig {
        eosTokenIds = List.copyOf(eosTokenIds);
        if (!ARCHITECTURES.contains(architecture)) {
            throw invalid("the architecture " + architecture + " is not supported; supported are "
                    + String.join(", ", ARCHITECTURES));
        }
        positive("vocab_size", vocabSize);
        positive("hidden_size", hiddenSize);
        positive("intermediate_size", intermediateSize);
        positive("num_hidden_layers", layers);
        positive("num_attention_heads", heads);
        positive("num_key_value_heads", kvHeads);
        positive("head_dim", headDim);
        positive("max_position_embeddings", maxPositionEmbeddings);
        if (heads % kvHeads != 0) {
            throw invalid("num_attention_heads is " + heads + ", no multiple of num_key_value_heads, " + kvHeads);
        }
        if (headDim % 2 != 0) {
            throw invalid("head_dim is " + headDim + " but must be even to be rotated");
        }
        if (!(normEps >= 0) || Double.isInfinite(normEps)) {
            throw invalid("rms_norm_eps is " + normEps + " but must be a small positive number");
        }
        if (!(ropeTheta > 0) || Double.isInfinite(ropeTheta)) {
            throw invalid("rope_theta is " + ropeTheta + " but must be positive");
        }
        if (!hiddenAct.equals("silu")) {
            throw invalid("hidden_act is " + hiddenAct + "; silu is the only activation known for " + architecture);
        }
    }

    /**
     * Reads {@code config.json}, and further end tokens from {@code generation_config.json} beside it.
     *
     * @throws ServiceException {@code INVALID_MODEL} naming file, key and value that are wrong, or that would change
     *     the numbers in a way not supported
     */
    public static ModelConfig read(Path configJson) {
        return HuggingFaceConfig.read(configJson);
    }

    /**
     * What another file says in the keys of {@code config.json}.
     *
     * @param file for messages
     * @throws ServiceException as {@link #read}
     */
    static ModelConfig of(Path file, ObjectNode keys) {
        return HuggingFaceConfig.of(new JsonFile(file, keys));
    }

    private static void positive(String key, int value) {
        if (value < 1) {
            throw invalid(key + " is " + value + " but must be at least 1");
        }
    }

    private static ServiceException invalid(String detail) {
        return new ServiceException(ErrorCode.INVALID_MODEL, detail);
    }
}
