package dev.lory.kernel;

/** The non-linearity of a gated MLP. */
public enum Activation {
    /** {@code x · sigmoid(x)}. */
    SILU
}
