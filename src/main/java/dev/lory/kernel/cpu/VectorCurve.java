package dev.lory.kernel.cpu;

import dev.lory.kernel.Activation;
import jdk.incubator.vector.FloatVector;

/**
 * Functions of one number, for runs of elements. Each has a loop of its own: the compiler gives up on two in one method. A last part of a
 * vector is computed in scratch, so that each element sees the same operations wherever it lies.
 */
enum VectorCurve {
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

    /** Elements whose exponentials wait in scratch for the next pass. */
    private static final int PART = 1024;

    static VectorCurve of(Activation activation) {
        return switch (activation) {
            case SILU -> SILU;
            case GELU -> GELU;
            case GELU_TANH -> GELU_TANH;
        };
    }

    /** {@code y = curve(x)}; {@code y} may be {@code x}. */
    void apply(float cap, long x, long y, int count, long scratch) {
        int bound = Lanes.F.loopBound(count);
        loop(cap, x, y, bound, scratch + 4L * Lanes.COUNT);
        int rest = count - bound;
        if (rest > 0) {
            for (int i = 0; i < Lanes.COUNT; i++) {
                Memory.setFloat(scratch + 4L * i, Memory.getFloat(x + 4L * (bound + Math.min(i, rest - 1))));
            }
            loop(cap, scratch, scratch, Lanes.COUNT, scratch + 4L * Lanes.COUNT);
            for (int i = 0; i < rest; i++) {
                Memory.setFloat(y + 4L * (bound + i), Memory.getFloat(scratch + 4L * i));
            }
        }
    }

    private void loop(float cap, long x, long y, int count, long scratch) {
        switch (this) {
            case SILU -> silu(x, y, count);
            case GELU_TANH -> geluTanh(x, y, count);
            case GELU, SOFT_CAP -> {
                for (int i = 0; i < count; i += PART) {
                    inPasses(cap, x + 4L * i, y + 4L * i, Math.min(PART, count - i), scratch);
                }
            }
        }
    }

    /** In passes over a part, because all of it in one loop is more than the compiler takes. */
    private void inPasses(float cap, long x, long y, int count, long scratch) {
        if (this == GELU) {
            bell(x, scratch, count);
            tail(x, scratch, count);
            gelu(x, scratch, y, count);
        } else {
            decay(-2 / cap, x, scratch, count);
            farTanh(scratch, count);
            tanh(1 / cap, x, scratch, count);
            signed(cap, x, scratch, y, count);
        }
    }

    private static void silu(long x, long y, int count) {
        for (long i = 0; i < 4L * count; i += 4 * Lanes.COUNT) {
            // below, the exponential stays as it is and the quotient would grow again
            FloatVector v = Lanes.floats(x + i).max(Lanes.broadcast(-88f));
            Lanes.store(v.div(Exponential.of(v.neg()).add(Lanes.broadcast(1f))), y + i);
        }
    }

    /** x/2 · (1 + tanh(u)) is x / (1 + e^(−2u)), without the difference that would lose digits. */
    private static void geluTanh(long x, long y, int count) {
        for (long i = 0; i < 4L * count; i += 4 * Lanes.COUNT) {
            FloatVector v = Lanes.floats(x + i).max(Lanes.broadcast(-20f));
            FloatVector cubic = v.mul(v)
                    .mul(Lanes.broadcast(0.044715f))
                    .add(Lanes.broadcast(1f))
                    .mul(v);
            Lanes.store(v.div(Exponential.of(cubic.mul(Lanes.broadcast(-CUBIC))).add(Lanes.broadcast(1f))), y + i);
        }
    }

    private static void bell(long x, long e, int count) {
        for (long i = 0; i < 4L * count; i += 4 * Lanes.COUNT) {
            FloatVector v = Lanes.floats(x + i);
            Lanes.store(Exponential.of(v.mul(v).mul(Lanes.broadcast(-0.5f))), e + i);
        }
    }

    /** 1 − Φ(|x|) = e^(−x²/2) · p(1 / (1 + c·|x|)) / 2, Abramowitz and Stegun's formula 7.1.26. */
    private static void tail(long x, long e, int count) {
        for (long i = 0; i < 4L * count; i += 4 * Lanes.COUNT) {
            FloatVector v = Lanes.floats(x + i);
            FloatVector t = Lanes.broadcast(1f)
                    .div(v.abs().mul(Lanes.broadcast(0.231641888f)).add(Lanes.broadcast(1f)));
            FloatVector p = Lanes.broadcast(0.5307027f)
                    .fma(t, Lanes.broadcast(-0.726576013f))
                    .fma(t, Lanes.broadcast(0.71070687f));
            p = p.fma(t, Lanes.broadcast(-0.142248368f))
                    .fma(t, Lanes.broadcast(0.127414796f))
                    .mul(t);
            Lanes.store(p.mul(Lanes.floats(e + i)), e + i);
        }
    }

    private static void gelu(long x, long tail, long y, int count) {
        for (long i = 0; i < 4L * count; i += 4 * Lanes.COUNT) {
            FloatVector v = Lanes.floats(x + i);
            FloatVector t = Lanes.floats(tail + i);
            Lanes.store(v.mul(Lanes.whereNegative(v, t, Lanes.broadcast(1f).sub(t))), y + i);
        }
    }

    private static void decay(float factor, long x, long e, int count) {
        for (long i = 0; i < 4L * count; i += 4 * Lanes.COUNT) {
            Lanes.store(Exponential.of(Lanes.floats(x + i).abs().mul(Lanes.broadcast(factor))), e + i);
        }
    }

    /** e^(−2x) to tanh(x). */
    private static void farTanh(long e, int count) {
        for (long i = 0; i < 4L * count; i += 4 * Lanes.COUNT) {
            FloatVector v = Lanes.floats(e + i);
            Lanes.store(Lanes.broadcast(1f).sub(v).div(v.add(Lanes.broadcast(1f))), e + i);
        }
    }

    /** Of |x · factor|. Near 0 a polynomial (Cephes' tanhf), because 1 − e^(−2x) has few digits there. */
    private static void tanh(float factor, long x, long far, int count) {
        for (long i = 0; i < 4L * count; i += 4 * Lanes.COUNT) {
            FloatVector size = Lanes.floats(x + i).mul(Lanes.broadcast(factor)).abs();
            FloatVector z = size.mul(size);
            FloatVector p = Lanes.broadcast(-5.70498872745e-3f).fma(z, Lanes.broadcast(2.06390887954e-2f));
            p = p.fma(z, Lanes.broadcast(-5.37397155531e-2f)).fma(z, Lanes.broadcast(1.33314422036e-1f));
            FloatVector near =
                    p.fma(z, Lanes.broadcast(-3.33332819422e-1f)).mul(z).fma(size, size);
            Lanes.store(Lanes.whereNegative(size.sub(Lanes.broadcast(0.625f)), near, Lanes.floats(far + i)), far + i);
        }
    }

    private static void signed(float factor, long x, long size, long y, int count) {
        for (long i = 0; i < 4L * count; i += 4 * Lanes.COUNT) {
            FloatVector v = Lanes.floats(size + i).mul(Lanes.broadcast(factor));
            Lanes.store(Lanes.whereNegative(Lanes.floats(x + i), v.neg(), v), y + i);
        }
    }
}
