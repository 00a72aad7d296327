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
        FloatVector x = exponent.max(Lanes.broadcast(-87f)).min(Lanes.broadcast(88f));
        FloatVector shifted = x.mul(Lanes.broadcast(1.44269504f)).add(Lanes.broadcast(ROUND));
        IntVector n = shifted.reinterpretAsInts().sub(Lanes.broadcast(0x4B400000));
        FloatVector whole = shifted.sub(Lanes.broadcast(ROUND));
        FloatVector r = whole.fma(Lanes.broadcast(-0.693145752f), x);
        r = whole.fma(Lanes.broadcast(-1.42860677e-6f), r);
        FloatVector p = Lanes.broadcast(1f / 720).fma(r, Lanes.broadcast(1f / 120));
        p = p.fma(r, Lanes.broadcast(1f / 24)).fma(r, Lanes.broadcast(1f / 6));
        p = p.fma(r, Lanes.broadcast(0.5f)).fma(r, Lanes.broadcast(1f)).fma(r, Lanes.broadcast(1f));
        return p.mul(
                n.add(Lanes.broadcast(127)).lanewise(VectorOperators.LSHL, 23).reinterpretAsFloats());
    }
}
