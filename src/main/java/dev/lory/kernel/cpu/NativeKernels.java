package dev.lory.kernel.cpu;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.util.Collections;

/**
 * The functions of kernels.c for one instruction set; pointers are passed as addresses.
 *
 * @param quant {@code void lory_quant(form, w, x, scale, sum, scaled, y, k, n, tokens, g0, g1)}
 * @param dense {@code void lory_dense(type, w, x, x_rows, x_stride, y, y_rows, y_stride, factor, k, n, entries, g0, g1)}
 * @param attention {@code void lory_attention(q, y, stride, positions, keys, values, width, block_size, dim, group, float scale,
 *     float soft_cap, window, table, scores, score_stride, kv_head, row0, row1)}
 * @param multiply {@code long lory_multiply(rounds, room)}
 */
record NativeKernels(String name, MethodHandle quant, MethodHandle dense, MethodHandle attention, MethodHandle multiply)
        implements KernelSet {
    /** Finds the functions of an instruction set, {@code avx512} or {@code avx2}. */
    static NativeKernels find(SymbolLookup library, String isa) {
        MemoryLayout[] attention = longs(19);
        attention[10] = JAVA_FLOAT;
        attention[11] = JAVA_FLOAT;
        return new NativeKernels(
                "native " + isa,
                handle(library, "lory_quant_" + isa, FunctionDescriptor.ofVoid(longs(12))),
                handle(library, "lory_dense_" + isa, FunctionDescriptor.ofVoid(longs(14))),
                handle(library, "lory_attention_" + isa, FunctionDescriptor.ofVoid(attention)),
                handle(library, "lory_multiply_" + isa, FunctionDescriptor.of(JAVA_LONG, longs(2))));
    }

    private static MemoryLayout[] longs(int count) {
        return Collections.nCopies(count, JAVA_LONG).toArray(MemoryLayout[]::new);
    }

    private static MethodHandle handle(SymbolLookup library, String name, FunctionDescriptor type) {
        return Linker.nativeLinker().downcallHandle(library.findOrThrow(name), type);
    }

    @Override
    public void quant(PackedWeight w, Quantised x, long y, int g0, int g1, long scratch) {
        try {
            quant.invokeExact(
                    (long) w.form().id,
                    w.address(),
                    x.x,
                    x.scales,
                    x.sums,
                    x.scaledSums,
                    y,
                    (long) w.cols(),
                    (long) w.rows(),
                    (long) x.rows,
                    (long) g0,
                    (long) g1);
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public void dense(PackedWeight w, Dense job, int g0, int g1, long scratch) {
        try {
            dense.invokeExact(
                    (long) w.form().id,
                    w.address(),
                    job.x,
                    job.xRows,
                    (long) job.xStride,
                    job.y,
                    job.yRows,
                    (long) job.yStride,
                    job.factor,
                    (long) w.cols(),
                    (long) w.rows(),
                    (long) job.entries,
                    (long) g0,
                    (long) g1);
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public long multiply(int rounds, long room) {
        try {
            return (long) multiply.invokeExact((long) rounds, room);
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public void attention(Attention job, long table, int kvHead, int row0, int row1, long scores, long scratch) {
        try {
            attention.invokeExact(
                    job.q,
                    job.y,
                    (long) job.stride,
                    job.positions,
                    job.keys,
                    job.values,
                    (long) job.width,
                    (long) job.blockSize,
                    (long) job.shape.headDim(),
                    (long) job.group(),
                    job.shape.scale(),
                    job.shape.softCap(),
                    (long) job.shape.window(),
                    table,
                    scores,
                    (long) job.scoreStride,
                    (long) kvHead,
                    (long) row0,
                    (long) row1);
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
    }
}
