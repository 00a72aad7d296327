package dev.lory.kernel;

/** The non-linearity of an MLP. */
public enum Activation {
    /** {@code x · sigmoid(x)} (arXiv:1702.03118). */
    SILU,
    /** {@code x · Φ(x)} with the normal distribution's Φ (arXiv:1606.08415). */
    GELU,
    /** Its approximation {@code x/2 · (1 + tanh(√(2/π) · (x + 0.044715 x³)))}. */
    GELU_TANH
}
