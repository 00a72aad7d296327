package dev.lory.kernel.cpu;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;

/** Quantised weights times one token, in 16-bit products: two int8 products fit a short, and sixteen of nibble and int8. */
final class VectorQuantRow {
    private VectorQuantRow() {}

    static void nibbles(PackedWeight w, Quantised x, int t, long y, int g0, int g1) {
        Form form = w.form();
        int blocks = w.cols() / 32;
        long xs = 4L * t * blocks;
        for (int g = g0; g < g1; g++) {
            for (int lane = 0; lane < 16; lane += Lanes.COUNT) {
                long block = w.address() + g * form.groupBytes(w.cols()) + 2 * lane;
                long pairs = x.pairs + 2L * t * w.cols();
                FloatVector total = FloatVector.zero(Lanes.F);
                for (int b = 0; b < blocks; b++, block += form.blockBytes, pairs += 64) {
                    IntVector sum = nibbleBlock(block + form.quants + 2 * lane, pairs)
                            .sub(form.bias * Memory.getInt(x.sums + xs + 4L * b));
                    total = scale(sum, block, x.scales + xs + 4L * b, total);
                    if (form == Form.Q4_1) {
                        total = Lanes.halves(block + 32).fma(Lanes.splat(x.scaledSums + xs + 4L * b), total);
                    }
                }
                int out = g * 16 + lane;
                Lanes.store(total, y + 4L * ((long) t * w.rows() + out), w.rows() - out);
            }
        }
    }

    static void bytes(PackedWeight w, Quantised x, int t, long y, int g0, int g1) {
        Form form = w.form();
        int blocks = w.cols() / 32;
        long xs = 4L * t * blocks;
        for (int g = g0; g < g1; g++) {
            for (int lane = 0; lane < 16; lane += Lanes.COUNT) {
                long block = w.address() + g * form.groupBytes(w.cols()) + 2 * lane;
                long pairs = x.pairs + 2L * t * w.cols();
                FloatVector total = FloatVector.zero(Lanes.F);
                for (int b = 0; b < blocks; b++, block += form.blockBytes, pairs += 64) {
                    IntVector sum = byteBlock(block + form.quants + 2 * lane, pairs);
                    total = scale(sum, block, x.scales + xs + 4L * b, total);
                }
                int out = g * 16 + lane;
                Lanes.store(total, y + 4L * ((long) t * w.rows() + out), w.rows() - out);
            }
        }
    }

    private static FloatVector scale(IntVector sum, long block, long scale, FloatVector total) {
        return ((FloatVector) sum.convert(VectorOperators.I2F, 0))
                .fma(Lanes.halves(block).mul(Memory.getFloat(scale)), total);
    }

    private static IntVector nibbleBlock(long quants, long pairs) {
        ShortVector sum = ShortVector.zero(Lanes.S);
        for (int j = 0; j < 4; j++) {
            IntVector q = Lanes.ints(quants + j * 64);
            long x = pairs + j * 8;
            sum = sum.add(nibble(q, 0, x).add(nibble(q, 4, x + 32)))
                    .add(nibble(q, 8, x + 4).add(nibble(q, 12, x + 36)));
        }
        IntVector both = sum.reinterpretAsInts();
        return both.lanewise(VectorOperators.LSHL, 16)
                .lanewise(VectorOperators.ASHR, 16)
                .add(both.lanewise(VectorOperators.ASHR, 16));
    }

    private static ShortVector nibble(IntVector q, int shift, long pair) {
        return q.lanewise(VectorOperators.LSHR, shift)
                .and(0x000f000f)
                .reinterpretAsShorts()
                .mul(IntVector.broadcast(Lanes.I, Memory.getInt(pair)).reinterpretAsShorts());
    }

    private static IntVector byteBlock(long quants, long pairs) {
        IntVector sum = IntVector.zero(Lanes.I);
        for (int j = 0; j < 8; j++) {
            // the bias off: signed bytes
            ShortVector q = Lanes.ints(quants + j * 64)
                    .lanewise(VectorOperators.XOR, 0x80808080)
                    .reinterpretAsShorts();
            ShortVector even = q.lanewise(VectorOperators.LSHL, 8).lanewise(VectorOperators.ASHR, 8);
            ShortVector odd = q.lanewise(VectorOperators.ASHR, 8);
            IntVector both = even.mul(IntVector.broadcast(Lanes.I, Memory.getInt(pairs + j * 8))
                            .reinterpretAsShorts())
                    .add(odd.mul(IntVector.broadcast(Lanes.I, Memory.getInt(pairs + j * 8 + 4))
                            .reinterpretAsShorts()))
                    .reinterpretAsInts();
            sum = sum.add(both.lanewise(VectorOperators.LSHL, 16).lanewise(VectorOperators.ASHR, 16))
                    .add(both.lanewise(VectorOperators.ASHR, 16));
        }
        return sum;
    }
}
