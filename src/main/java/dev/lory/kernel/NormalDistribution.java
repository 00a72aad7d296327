package dev.lory.kernel;

/** The standard normal distribution, which GELU is made of. */
final class NormalDistribution {
    private NormalDistribution() {}

    /** Φ(x), to the precision of a double around its size at 0: Marsaglia's series (doi:10.18637/jss.v011.i04). */
    static double cumulative(double x) {
        if (Math.abs(x) > 9) {
            return x < 0 ? 0 : 1;
        }
        double sum = x;
        double term = x;
        for (int i = 3; Math.abs(term) > 1e-17 * Math.abs(sum); i += 2) {
            term *= x * x / i;
            sum += term;
        }
        return 0.5 + sum * Math.exp(-x * x / 2) / Math.sqrt(2 * Math.PI);
    }
}
