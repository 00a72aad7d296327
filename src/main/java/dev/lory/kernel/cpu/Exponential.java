package dev.lory.kernel.cpu;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

/** e^x for vectors, to a few units in the last place: 2^n · polynomial, |remainder| ≤ ln 2 / 2. */
final class Exponential {
    /** 1.5 · 2^23: adding it rounds to an integer that then lies in the low bits. */
    private static final float ROUND = 12582912f;

    private Exponential() {}

    /** Below −87 and above 88 as at those bounds. */
    static FloatVector of(FloatVector exponent) {
        FloatVector x = exponent.max(-87f).min(88f);
        FloatVector shifted = x.mul(1.44269504f).add(ROUND);
        IntVector n = shifted.reinterpretAsInts().sub(0x4B400000);
        FloatVector whole = shifted.sub(ROUND);
        FloatVector r = whole.fma(splat(-0.693145752f), x);
        r = whole.fma(splat(-1.42860677e-6f), r);
        FloatVector p = splat(1f / 720).fma(r, splat(1f / 120));
        p = p.fma(r, splat(1f / 24)).fma(r, splat(1f / 6));
        p = p.fma(r, splat(0.5f)).fma(r, splat(1f)).fma(r, splat(1f));
        return p.mul(n.add(127).lanewise(VectorOperators.LSHL, 23).reinterpretAsFloats());
    }

    private static FloatVector splat(float value) {
        return FloatVector.broadcast(Lanes.F, value);
    }
}
