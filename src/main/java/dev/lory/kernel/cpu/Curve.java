package dev.lory.kernel.cpu;

import dev.lory.kernel.Activation;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
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

    /** Elements whose exponentials wait in scratch for the next pass. */
    private static final int PART = 1024;

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
            gelu(x, scratch, y, count);
        } else {
            decay(-2 / cap, x, scratch, count);
            farTanh(scratch, count);
            softCap(cap, x, scratch, y, count);
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

    private static void bell(long x, long e, int count) {
        for (long i = 0; i < 4L * count; i += 4 * Lanes.COUNT) {
            FloatVector v = Lanes.floats(x + i);
            Lanes.store(Exponential.of(v.mul(v).mul(-0.5f)), e + i);
        }
    }

    /** With 1 − Φ(|x|) = e^(−x²/2) · p(1 / (1 + c·|x|)) / 2, Abramowitz and Stegun's formula 7.1.26. */
    private static void gelu(long x, long e, long y, int count) {
        for (long i = 0; i < 4L * count; i += 4 * Lanes.COUNT) {
            FloatVector v = Lanes.floats(x + i);
            FloatVector t = splat(1).div(v.abs().mul(0.231641888f).add(1f));
            FloatVector p = splat(0.5307027f).fma(t, splat(-0.726576013f)).fma(t, splat(0.71070687f));
            p = p.fma(t, splat(-0.142248368f)).fma(t, splat(0.127414796f)).mul(t);
            FloatVector tail = p.mul(Lanes.floats(e + i));
            Lanes.store(v.mul(whereNegative(v, tail, splat(1).sub(tail))), y + i);
        }
    }

    private static void decay(float factor, long x, long e, int count) {
        for (long i = 0; i < 4L * count; i += 4 * Lanes.COUNT) {
            Lanes.store(Exponential.of(Lanes.floats(x + i).abs().mul(factor)), e + i);
        }
    }

    /** e^(−2x) to tanh(x). */
    private static void farTanh(long e, int count) {
        for (long i = 0; i < 4L * count; i += 4 * Lanes.COUNT) {
            FloatVector v = Lanes.floats(e + i);
            Lanes.store(splat(1).sub(v).div(v.add(1f)), e + i);
        }
    }

    /** Near 0 a polynomial (Cephes' tanhf), because 1 − e^(−2x) has few digits there. */
    private static void softCap(float cap, long x, long far, long y, int count) {
        for (long i = 0; i < 4L * count; i += 4 * Lanes.COUNT) {
            FloatVector v = Lanes.floats(x + i).div(cap);
            FloatVector size = v.abs();
            FloatVector z = v.mul(v);
            FloatVector p = splat(-5.70498872745e-3f).fma(z, splat(2.06390887954e-2f));
            p = p.fma(z, splat(-5.37397155531e-2f)).fma(z, splat(1.33314422036e-1f));
            FloatVector near = p.fma(z, splat(-3.33332819422e-1f)).mul(z).fma(size, size);
            FloatVector tanh = whereNegative(size.sub(0.625f), near, Lanes.floats(far + i));
            Lanes.store(whereNegative(v, tanh.neg(), tanh).mul(cap), y + i);
        }
    }

    /** By bits: the compiler puts a blend by a mask on the heap here. */
    private static FloatVector whereNegative(FloatVector of, FloatVector yes, FloatVector no) {
        IntVector mask = of.reinterpretAsInts().lanewise(VectorOperators.ASHR, 31);
        IntVector other = no.reinterpretAsInts();
        return yes.reinterpretAsInts()
                .lanewise(VectorOperators.XOR, other)
                .and(mask)
                .lanewise(VectorOperators.XOR, other)
                .reinterpretAsFloats();
    }

    private static FloatVector splat(float value) {
        return FloatVector.broadcast(Lanes.F, value);
    }
}
