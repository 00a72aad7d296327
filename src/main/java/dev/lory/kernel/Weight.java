package dev.lory.kernel;

import dev.lory.tensor.DType;

/** A weight matrix {@code [out, in]} in the layout of the backend that loaded it, and of use to that backend only. */
public interface Weight {
    /** Outputs. */
    int rows();

    /** Inputs. */
    int cols();

    /** The type it was loaded from. */
    DType dtype();

    /** Bytes it takes on the device. */
    long bytes();
}
