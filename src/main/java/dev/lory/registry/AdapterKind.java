package dev.lory.registry;

/** How an adapter's weight is chosen. */
public enum AdapterKind {
    /** Constant for a request. */
    LORA,
    /** Predicted for each token and linear by a classifier (arXiv:2402.07148). */
    XLORA
}
