package dev.lory.kernel.cpu;

import dev.lory.kernel.Activation;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;

/**
 * Functions of one number, for runs of elements. Each has a loop of its own: the compiler gives up on two in one method. A last part of a
 * vector is computed in scratch, so that each element sees the same operations wherever it lies.
 */
enum Curve {
    /** See {@link Activation#SILU}. */
    SILU,
    /** See {@link Activation#GELU}; absolute error below 10⁻⁶. */
    GELU,
    /** See {@link Activation#GELU_TANH}. */
    GELU_TANH,
    /** {@code cap · tanh(x / cap)}. */
    SOFT_CAP;

    /** √(8/π): twice the factor in front of the cubic. */
    private static final float CUBIC = 1.5957691f;

    static Curve of(Activation activation) {
        return switch (activation) {
            case SILU -> SILU;
            case GELU -> GELU;
            case GELU_TANH -> GELU_TANH;
        };
    }

    /** {@code y = curve(x)}; {@code y} may be {@code x}. */
    void apply(float cap, long x, long y, int count, long scratch) {
        int bound = Lanes.F.loopBound(count);
        loop(cap, x, y, bound);
        int rest = count - bound;
        if (rest > 0) {
            for (int i = 0; i < Lanes.COUNT; i++) {
                Memory.setFloat(scratch + 4L * i, Memory.getFloat(x + 4L * (bound + Math.min(i, rest - 1))));
            }
            loop(cap, scratch, scratch, Lanes.COUNT);
            for (int i = 0; i < rest; i++) {
                Memory.setFloat(y + 4L * (bound + i), Memory.getFloat(scratch + 4L * i));
            }
        }
    }

    private void loop(float cap, long x, long y, int count) {
        switch (this) {
            case SILU -> silu(x, y, count);
            case GELU -> gelu(x, y, count);
            case GELU_TANH -> geluTanh(x, y, count);
            case SOFT_CAP -> softCap(cap, x, y, count);
        }
    }

    private static void silu(long x, long y, int count) {
        for (long i = 0; i < 4L * count; i += 4 * Lanes.COUNT) {
            // below, the exponential stays as it is and the quotient would grow again
            FloatVector v = Lanes.floats(x + i).max(-88f);
            Lanes.store(v.div(Exponential.of(v.neg()).add(1f)), y + i);
        }
    }

    /** x/2 · (1 + tanh(u)) is x / (1 + e^(−2u)), without the difference that would lose digits. */
    private static void geluTanh(long x, long y, int count) {
        for (long i = 0; i < 4L * count; i += 4 * Lanes.COUNT) {
            FloatVector v = Lanes.floats(x + i).max(-20f);
            FloatVector cubic = v.mul(v).mul(0.044715f).add(1f).mul(v);
            Lanes.store(v.div(Exponential.of(cubic.mul(-CUBIC)).add(1f)), y + i);
        }
    }

    /** With 1 − Φ(|x|) = e^(−x²/2) · p(1 / (1 + c·|x|)) / 2, Abramowitz and Stegun's formula 7.1.26. */
    private static void gelu(long x, long y, int count) {
        for (long i = 0; i < 4L * count; i += 4 * Lanes.COUNT) {
            FloatVector v = Lanes.floats(x + i);
            FloatVector t = splat(1).div(v.abs().mul(0.231641888f).add(1f));
            FloatVector p = splat(0.5307027f).fma(t, splat(-0.726576013f)).fma(t, splat(0.71070687f));
            p = p.fma(t, splat(-0.142248368f)).fma(t, splat(0.127414796f)).mul(t);
            FloatVector tail = p.mul(Exponential.of(v.mul(v).mul(-0.5f)));
            Lanes.store(v.mul(tail.blend(splat(1).sub(tail), v.compare(VectorOperators.GE, 0f))), y + i);
        }
    }

    /** Near 0 a polynomial (Cephes' tanhf), because 1 − e^(−2x) has few digits there. */
    private static void softCap(float cap, long x, long y, int count) {
        for (long i = 0; i < 4L * count; i += 4 * Lanes.COUNT) {
            FloatVector v = Lanes.floats(x + i).div(cap);
            FloatVector size = v.abs();
            FloatVector e = Exponential.of(size.mul(-2f));
            FloatVector far = splat(1).sub(e).div(e.add(1f));
            FloatVector z = v.mul(v);
            FloatVector p = splat(-5.70498872745e-3f).fma(z, splat(2.06390887954e-2f));
            p = p.fma(z, splat(-5.37397155531e-2f)).fma(z, splat(1.33314422036e-1f));
            FloatVector near = p.fma(z, splat(-3.33332819422e-1f)).mul(z).fma(size, size);
            FloatVector tanh = far.blend(near, size.compare(VectorOperators.LT, 0.625f));
            // with the sign of x
            Lanes.store(
                    tanh.blend(tanh.neg(), v.compare(VectorOperators.LT, 0f)).mul(cap), y + i);
        }
    }

    private static FloatVector splat(float value) {
        return FloatVector.broadcast(Lanes.F, value);
    }
}
