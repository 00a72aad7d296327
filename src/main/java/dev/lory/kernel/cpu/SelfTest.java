package dev.lory.kernel.cpu;

import dev.lory.tensor.DType;
import dev.lory.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Random;

/** Compares native kernels with plain loops before they are trusted: attention, and each weight form with a last group that is not full. */
final class SelfTest {
    private static final int ROWS = 88;
    /** Few and many of each, for which kernels have loops of their own; columns in blocks. */
    private static final int[] BLOCKS = {1, 2};

    private static final int[] TOKENS = {1, 3};
    /** Of a product with int8 activations; the others come far closer. */
    private static final double TOLERANCE = 0.02;

    private SelfTest() {}

    /** What differs, or nothing. */
    static String difference(KernelSet kernels) {
        for (Form form : Form.values()) {
            for (int blocks : BLOCKS) {
                int cols = blocks * Math.max(32, form.stored().blockLength());
                for (int tokens : TOKENS) {
                    double error = error(kernels, form, cols, tokens);
                    if (!(error < TOLERANCE)) {
                        return "its product of " + tokens + " with " + form + " weights is off by " + error;
                    }
                }
            }
        }
        try (AttentionSelfTest attention = new AttentionSelfTest()) {
            double error = attention.error(kernels);
            return error < TOLERANCE ? "" : "its attention is off by " + error;
        }
    }

    /** Of a product, relative to its largest element. */
    private static double error(KernelSet kernels, Form form, int cols, int tokens) {
        try (Arena arena = Arena.ofShared();
                Quantised quantised = new Quantised(true);
                Scratch scratch = new Scratch()) {
            Tensor weight = random(arena, form.stored(), cols);
            Tensor x = Tensor.allocate(arena, DType.F32, tokens, cols);
            Random random = new Random(7);
            for (int i = 0; i < tokens * cols; i++) {
                x.set(i / cols, i % cols, (float) random.nextGaussian());
            }
            Tensor y = Tensor.allocate(arena, DType.F32, tokens, ROWS);
            PackedWeight packed = PackedWeight.of(weight, new WeightMemory());
            multiply(kernels, packed, x, y, quantised, scratch.ensure(VectorKernels.SCRATCH));
            packed.area().free();
            return error(weight, x, y);
        }
    }

    private static void multiply(
            KernelSet kernels, PackedWeight w, Tensor x, Tensor y, Quantised quantised, long scratch) {
        long from = x.storage().address();
        long to = y.storage().address();
        if (w.form().quantised) {
            quantised.shape(x.rows(), x.cols());
            for (int t = 0; t < x.rows(); t++) {
                VectorRows.quantise(quantised, from, t);
            }
            kernels.quant(w, quantised, to, 0, w.groups(), scratch);
            return;
        }
        Dense job = new Dense();
        job.x = from;
        job.xStride = x.cols();
        job.y = to;
        job.yStride = ROWS;
        job.entries = x.rows();
        kernels.dense(w, job, 0, w.groups(), scratch);
    }

    /** Bytes as they come, with every scale small and finite. */
    private static Tensor random(Arena arena, DType dtype, int cols) {
        Tensor weight = Tensor.allocate(arena, dtype, ROWS, cols);
        byte[] bytes = new byte[(int) weight.bytes()];
        new Random(3).nextBytes(bytes);
        int size = dtype.blockBytes();
        for (int block = 0; block < bytes.length; block += size) {
            for (int at : scales(dtype)) {
                // the high byte of a half, bfloat or float below one
                bytes[block + at + 1] =
                        (byte) (bytes[block + at + 1] & 0x81 | (dtype == DType.F16 || size > 4 ? 0x20 : 0x3c));
            }
        }
        MemorySegment.copy(bytes, 0, weight.storage(), ValueLayout.JAVA_BYTE, 0, bytes.length);
        return weight;
    }

    /** Where a block has its halves, or all that a plain number has of two bytes. */
    private static int[] scales(DType dtype) {
        return switch (dtype) {
            case F16, BF16, Q4_0, Q5_0, Q8_0 -> new int[] {0};
            case F32, Q4_1, Q5_1, Q4_K, Q5_K -> new int[] {0, 2};
            case Q2_K -> new int[] {80, 82};
            case Q3_K -> new int[] {108};
            case Q6_K -> new int[] {208};
        };
    }

    /** The largest difference, relative to the largest result. */
    private static double error(Tensor weight, Tensor x, Tensor y) {
        double largest = 0;
        double difference = 0;
        for (int out = 0; out < ROWS; out++) {
            float[] w = weight.row(out);
            for (int t = 0; t < x.rows(); t++) {
                double sum = 0;
                for (int i = 0; i < x.cols(); i++) {
                    sum += (double) w[i] * x.get(t, i);
                }
                largest = Math.max(largest, Math.abs(sum));
                double off = Math.abs(sum - y.get(t, out));
                difference = Double.isNaN(off) ? off : Math.max(difference, off);
            }
        }
        return difference / largest;
    }
}
