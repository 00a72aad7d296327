package dev.lory.model;

import dev.lory.tensor.Tensor;

/** A norm with its weights. */
@FunctionalInterface
interface NormBlock {
    /** Stands where there is none, in place only. */
    NormBlock NONE = (x, y) -> {};

    /** {@code y = norm(x)}, row by row; {@code y} may be {@code x}. */
    void apply(Tensor x, Tensor y);
}
