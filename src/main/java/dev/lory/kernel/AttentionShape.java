package dev.lory.kernel;

/**
 * How queries meet keys.
 *
 * @param heads query heads; {@code heads / kvHeads} of them share one key/value head
 * @param scale what scores are multiplied with before the softmax, as a rule 1/√head_dim
 */
public record AttentionShape(int heads, int kvHeads, int headDim, float scale) {
    public AttentionShape {
        if (heads < 1 || kvHeads < 1 || headDim < 1 || heads % kvHeads != 0) {
            throw new IllegalArgumentException("heads " + heads + ", kvHeads " + kvHeads + ", headDim " + headDim);
        }
    }
}
