package dev.lory.worker;

/**
 * How fast the machine lets a model be at most, if nothing but weights were read and multiplied (Williams et al., Roofline, 2009). Zeros where
 * it was not measured.
 *
 * @param bytesPerSecond read from memory
 * @param productsPerSecond multiplied and added
 * @param weightBytes read for a token that is alone in its step
 * @param weights multiplied for a token
 */
public record Roofline(double bytesPerSecond, double productsPerSecond, long weightBytes, long weights) {
    /** Nothing was measured. */
    public static final Roofline UNKNOWN = new Roofline(0, 0, 1, 1);

    /** The better figures of two measurements, because what else runs on the machine only takes away. */
    public Roofline best(Roofline other) {
        return new Roofline(
                Math.max(bytesPerSecond, other.bytesPerSecond),
                Math.max(productsPerSecond, other.productsPerSecond),
                weightBytes,
                weights);
    }

    /** Tokens per second of one sequence: each reads all weights. */
    public double decodeLimit() {
        return bytesPerSecond / weightBytes;
    }

    /** Tokens per second of a long prompt, which reads them once. */
    public double prefillLimit() {
        return productsPerSecond / weights;
    }
}
