package dev.lory.kernel;

/**
 * What a device does at most, as measured on it: the two numbers that bound the speed of a model (Williams et al., Roofline, 2009).
 *
 * @param bytesPerSecond read from its memory by all threads
 * @param productsPerSecond multiplied and added from registers, of the numbers that its kernels are fastest with
 */
public record Peak(double bytesPerSecond, double productsPerSecond) {
    /** Nothing is known. */
    public static final Peak UNKNOWN = new Peak(0, 0);
}
