package dev.lory.kernel;

/**
 * How queries meet keys.
 *
 * @param heads query heads; {@code heads / kvHeads} of them share one key/value head
 * @param scale what scores are multiplied with before the softmax, as a rule 1/√head_dim
 * @param softCap scores become {@code softCap · tanh(score / softCap)}; 0 = they stay
 * @param window positions a query sees, its own included; {@link Integer#MAX_VALUE} = all
 */
public record AttentionShape(int heads, int kvHeads, int headDim, float scale, float softCap, int window) {
    public AttentionShape {
        if (heads < 1 || kvHeads < 1 || headDim < 1 || heads % kvHeads != 0 || softCap < 0 || window < 1) {
            throw new IllegalArgumentException("heads " + heads + ", kvHeads " + kvHeads + ", headDim " + headDim
                    + ", softCap " + softCap + ", window " + window);
        }
    }

    /** Every query sees all positions up to its own, scores as they are. */
    public static AttentionShape full(int heads, int kvHeads, int headDim, float scale) {
        return new AttentionShape(heads, kvHeads, headDim, scale, 0, Integer.MAX_VALUE);
    }
}
