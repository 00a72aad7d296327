package dev.lory.format;

import dev.lory.tensor.DType;

/** Type and shape of a tensor as a source shows it; prints as {@code Q4_1[576, 576]}, as the tensor itself does. */
public record TensorInfo(DType dtype, int rows, int cols) {
    /** Bytes of the tensor. */
    public long bytes() {
        return rows * dtype.rowBytes(cols);
    }

    @Override
    public String toString() {
        return dtype + "[" + rows + ", " + cols + "]";
    }
}
