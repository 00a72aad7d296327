package dev.lory.model.arch;

import dev.lory.error.ServiceException;
import dev.lory.format.ModelConfig;
import dev.lory.model.Architecture;
import dev.lory.model.DecoderSpec;
import java.util.List;

/** The architectures there are. */
public final class Architectures {
    private static final List<Architecture> ALL = List.of(
            Llama.ARCHITECTURE,
            Mistral.ARCHITECTURE,
            Mixtral.ARCHITECTURE,
            Gemma.ARCHITECTURE,
            Gemma2.ARCHITECTURE,
            Phi.ARCHITECTURE,
            Phi3.ARCHITECTURE,
            Starcoder2.ARCHITECTURE,
            Qwen.TWO,
            Qwen.THREE);

    private Architectures() {}

    /** @throws ServiceException {@code INVALID_MODEL} naming an architecture or value that is not supported */
    public static DecoderSpec spec(ModelConfig config) {
        for (Architecture architecture : ALL) {
            if (architecture.id().equals(config.architecture())) {
                return architecture.spec().apply(config);
            }
        }
        throw config.keys()
                .invalid("architecture " + config.architecture() + " is not supported; supported are "
                        + ALL.stream().map(Architecture::id).toList());
    }
}
