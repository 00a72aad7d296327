package dev.lory.model;

/**
 * A linear layer that an adapter may change.
 *
 * @param path as PEFT and the ordering file spell it: {@code model.layers.3.self_attn.q_proj}
 * @param index its number among all sites of the model, in the definition order of transformers
 */
public record LinearSite(String path, int index) {
    /** The last part of the path, what {@code target_modules} lists: {@code q_proj}. */
    public String module() {
        return path.substring(path.lastIndexOf('.') + 1);
    }
}
