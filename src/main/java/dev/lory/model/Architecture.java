package dev.lory.model;

import dev.lory.format.ModelConfig;
import java.util.function.Function;

/**
 * A family of models.
 *
 * @param id as {@code architectures} of config.json has it: {@code LlamaForCausalLM}
 * @param spec reads the configuration; throws {@code INVALID_MODEL} on a value that it cannot honour
 */
public record Architecture(String id, Function<ModelConfig, DecoderSpec> spec) {}
