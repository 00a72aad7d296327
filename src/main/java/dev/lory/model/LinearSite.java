package dev.lory.model;

/**
 * A linear layer that an adapter may change, or one output of it where several are fused: q, k and v of Phi-3's {@code qkv_proj} are
 * three sites with one path.
 *
 * @param path as PEFT and the ordering file spell it: {@code model.layers.3.self_attn.q_proj}
 * @param index its number among all sites of the model, in the definition order of transformers
 * @param shape of the whole linear, as adapters see it
 * @param firstRow and {@code rows}: which of the linear's outputs this site stands for
 */
public record LinearSite(String path, int index, Shape shape, int firstRow, int rows) {
    /** Outputs and inputs of a linear. */
    public record Shape(int out, int in) {
        @Override
        public String toString() {
            return "[" + out + ", " + in + "]";
        }
    }

    /** The last part of the path, what {@code target_modules} lists: {@code q_proj}. */
    public String module() {
        return path.substring(path.lastIndexOf('.') + 1);
    }

    /** The layer it is in: {@code model.layers.3}. */
    public String layer() {
        return layerOf(path);
    }

    /** A path up to its first number; the path itself if it has none. */
    public static String layerOf(String path) {
        for (int from = 0, dot = path.indexOf('.'); dot >= 0; from = dot + 1, dot = path.indexOf('.', from)) {
            if (from < dot && path.substring(from, dot).chars().allMatch(Character::isDigit)) {
                return path.substring(0, dot);
            }
        }
        return path;
    }
}
