package dev.lory.kernel.cpu;

/** Which kernels do the matrix work. */
public enum Kernels {
    /** Native ones if they are there and pass their test, else the Vector API's. */
    AUTO,
    /** The Vector API's. */
    VECTOR,
    /** Native ones, or an error that says why not. */
    NATIVE
}
