package dev.lory.kernel;

import dev.lory.tensor.DType;
import dev.lory.tensor.Layouts;
import dev.lory.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Random;

/** Random matrices, the same for the same seed. */
public final class Samples {
    private final Random random;

    public Samples(long seed) {
        random = new Random(seed);
    }

    /** Normally distributed numbers. */
    public Tensor numbers(int rows, int cols) {
        Tensor tensor = matrix(DType.F32, rows, cols);
        for (int i = 0; i < rows * cols; i++) {
            tensor.set(i / cols, i % cols, (float) random.nextGaussian());
        }
        return tensor;
    }

    /** Numbers that a half holds. */
    public Tensor halves(int rows, int cols) {
        Tensor tensor = numbers(rows, cols);
        for (int i = 0; i < rows * cols; i++) {
            float half = Float.float16ToFloat(Float.floatToFloat16(tensor.get(i / cols, i % cols)));
            tensor.set(i / cols, i % cols, half);
        }
        return tensor;
    }

    /** Numbers that int8 with a scale for each 32 holds: whole ones up to 127, reached in each 32, times a power of two. */
    public Tensor bytes(int rows, int cols) {
        Tensor tensor = matrix(DType.F32, rows, cols);
        for (int r = 0; r < rows; r++) {
            float scale = 1;
            for (int i = 0; i < cols; i++) {
                scale = i % 32 == 0 ? Math.scalb(1f, random.nextInt(-9, 0)) : scale;
                tensor.set(r, i, scale * (i % 32 == r % 32 ? -127 : random.nextInt(-127, 128)));
            }
        }
        return tensor;
    }

    /** A weight of any type; scales of blocks are positive, negative and zero. */
    public Tensor weight(DType dtype, int rows, int cols) {
        Tensor tensor = matrix(dtype, rows, cols);
        byte[] bytes = new byte[(int) tensor.bytes()];
        random.nextBytes(bytes);
        MemorySegment.copy(MemorySegment.ofArray(bytes), 0, tensor.storage(), 0, bytes.length);
        MemorySegment to = tensor.storage();
        for (long at = 0; at < bytes.length; at += dtype.blockBytes()) {
            switch (dtype) {
                case F32 -> to.set(Layouts.FLOAT, at, number());
                case F16 -> to.set(Layouts.SHORT, at, Float.floatToFloat16(number()));
                case BF16 -> to.set(Layouts.SHORT, at, (short) (Float.floatToRawIntBits(number()) >> 16));
                case Q4_0, Q5_0, Q8_0 -> scales(to, at);
                case Q4_1, Q5_1, Q4_K, Q5_K -> scales(to, at, at + 2);
                case Q2_K -> scales(to, at + 80, at + 82);
                case Q3_K -> scales(to, at + 108);
                case Q6_K -> scales(to, at + 208);
            }
        }
        return tensor;
    }

    private void scales(MemorySegment to, long... places) {
        for (long at : places) {
            to.set(Layouts.SHORT, at, scale());
        }
    }

    private float number() {
        return 0.1f * (float) random.nextGaussian();
    }

    private short scale() {
        return random.nextInt(9) == 0 ? 0 : Float.floatToFloat16(number());
    }

    public int below(int bound) {
        return random.nextInt(bound);
    }

    /** The numbers {@code 0 .. count - 1} in any order. */
    public int[] shuffled(int count) {
        int[] all = new int[count];
        for (int i = 0; i < count; i++) {
            int j = random.nextInt(i + 1);
            all[i] = all[j];
            all[j] = i;
        }
        return all;
    }

    /** Its elements without their signs, as F32. */
    public static Tensor magnitudes(Tensor of) {
        Tensor tensor = matrix(DType.F32, of.rows(), of.cols());
        for (int r = 0; r < of.rows(); r++) {
            float[] row = of.row(r);
            for (int i = 0; i < row.length; i++) {
                tensor.set(r, i, Math.abs(row[i]));
            }
        }
        return tensor;
    }

    /** What rounding to int8 can do to each element: half a step, max|x| / 254, of its 32. */
    public static Tensor halfSteps(Tensor x) {
        Tensor tensor = matrix(DType.F32, x.rows(), x.cols());
        for (int r = 0; r < x.rows(); r++) {
            for (int block = 0; block < x.cols(); block += 32) {
                float max = 0;
                for (int i = block; i < block + 32; i++) {
                    max = Math.max(max, Math.abs(x.get(r, i)));
                }
                for (int i = block; i < block + 32; i++) {
                    tensor.set(r, i, max / 254);
                }
            }
        }
        return tensor;
    }

    private static Tensor matrix(DType dtype, int rows, int cols) {
        return Tensor.allocate(Arena.ofAuto(), dtype, rows, cols);
    }
}
