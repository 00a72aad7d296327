package dev.lory.kernel.cpu;

import dev.lory.kernel.Weight;
import dev.lory.tensor.DType;
import dev.lory.tensor.Layouts;
import dev.lory.tensor.SuperBlock;
import dev.lory.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.stream.IntStream;

/** A weight repacked to a {@link Form}; the rows of the last group that the source lacks are zero. */
record PackedWeight(Form form, int rows, int cols, DType dtype, Memory.Area area) implements Weight {
    private static final VarHandle SHORTS =
            MethodHandles.byteArrayViewVarHandle(short[].class, ByteOrder.LITTLE_ENDIAN);
    private static final VarHandle INTS = MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);

    /** Copies and repacks; as large as the source but for the padding, unless {@link Form#of} takes a larger form. */
    static PackedWeight of(Tensor source, WeightMemory memory) {
        Memory.Area area = memory.allocate(bytes(source.dtype(), source.rows(), source.cols()));
        PackedWeight packed =
                new PackedWeight(Form.of(source.dtype()), source.rows(), source.cols(), source.dtype(), area);
        IntStream.range(0, packed.groups()).parallel().forEach(g -> packed.pack(g, source));
        return packed;
    }

    /** What a weight of that type takes. */
    static long bytes(DType dtype, int rows, int cols) {
        return (rows + 15) / 16 * Form.of(dtype).groupBytes(cols);
    }

    int groups() {
        return (rows + 15) / 16;
    }

    long address() {
        return area.address();
    }

    @Override
    public long bytes() {
        return area.bytes();
    }

    private void pack(int group, Tensor source) {
        byte[] row = new byte[rowBytes()];
        SuperBlock block = new SuperBlock();
        byte[] packed = new byte[(int) form.groupBytes(cols)];
        for (int r = 0; r < Math.min(16, rows - group * 16); r++) {
            read(source, group * 16 + r, row);
            switch (form) {
                case F32 -> {
                    for (int i = 0; i < cols; i++) {
                        INTS.set(packed, i * 64 + r * 4, (int) INTS.get(row, i * 4));
                    }
                }
                case F16, BF16 -> {
                    for (int i = 0; i < cols; i++) {
                        SHORTS.set(packed, i * 32 + r * 2, (short) SHORTS.get(row, i * 2));
                    }
                }
                case Q4_0, Q4_1, Q8_0, Q5_1 -> {
                    int size = row.length / (cols / 32);
                    for (int b = 0; b < cols / 32; b++) {
                        packBlock(row, b * size, size, packed, b * form.blockBytes, r);
                    }
                }
                case Q4_K, Q5_K, Q6_K -> {
                    for (int b = 0; b < cols / SuperBlock.LENGTH; b++) {
                        long at = (group * 16 + r) * source.rowBytes() + (long) b * dtype.blockBytes();
                        block.read(dtype, source.storage(), at);
                        PackedBlocks.pack(form, block, packed, b * 8 * form.blockBytes, r);
                    }
                }
            }
        }
        long to = area.address() + group * form.groupBytes(cols);
        MemorySegment.copy(packed, 0, Memory.ALL, ValueLayout.JAVA_BYTE, to, packed.length);
    }

    /** What {@link #read} fills: a row as {@link Form#stored} has it, but for Q5_1, whose quants are bytes; nothing for the K forms. */
    private int rowBytes() {
        if (form.ofSuperBlocks()) {
            return 0;
        }
        return form == Form.Q5_1 ? cols / 32 * 36 : (int) form.stored().rowBytes(cols);
    }

    private void read(Tensor source, int r, byte[] row) {
        if (form.ofSuperBlocks()) {
            return;
        }
        if (dtype == DType.Q5_0) {
            widen(source, r, row, 2, 16);
        } else if (dtype == DType.Q5_1) {
            widen(source, r, row, 4, 0);
        } else if (dtype == form.stored()) {
            MemorySegment.copy(source.storage(), ValueLayout.JAVA_BYTE, r * source.rowBytes(), row, 0, row.length);
        } else {
            float[] values = source.row(r);
            MemorySegment.copy(values, 0, MemorySegment.ofArray(row), Layouts.FLOAT, 0, values.length);
        }
    }

    /** Q5_0 and Q5_1 with bytes: the same halves and the same quants, with the bias taken off. */
    private static void widen(Tensor source, int r, byte[] row, int halves, int bias) {
        MemorySegment from = source.storage();
        long block = r * source.rowBytes();
        for (int to = 0; to < row.length; to += halves + 32, block += halves + 20) {
            MemorySegment.copy(from, ValueLayout.JAVA_BYTE, block, row, to, halves);
            int high = from.get(Layouts.INT, block + halves);
            for (int i = 0; i < 32; i++) {
                int low = from.get(ValueLayout.JAVA_BYTE, block + halves + 4 + i % 16) >> i / 16 * 4 & 15;
                row[to + halves + i] = (byte) ((low | (high >> i & 1) << 4) - bias);
            }
        }
    }

    private void packBlock(byte[] row, int from, int size, byte[] packed, int to, int lane) {
        int halves = form.quants / 32;
        for (int i = 0; i < halves; i++) {
            SHORTS.set(packed, to + i * 32 + lane * 2, (short) SHORTS.get(row, from + i * 2));
        }
        int flip = form == Form.Q8_0 ? 0x80808080 : 0;
        int lines = (size - 2 * halves) / 4;
        for (int i = 0; i < lines; i++) {
            int four = (int) INTS.get(row, from + 2 * halves + 4 * i);
            INTS.set(packed, to + form.quants + 64 * i + lane * 4, four ^ flip);
        }
    }

    /** One element of a weight that is not quantised. */
    float element(int row, int col) {
        long at = area.address() + row / 16 * form.groupBytes(cols) + (long) col * form.blockBytes;
        int lane = row % 16;
        return switch (form) {
            case F32 -> Memory.getFloat(at + lane * 4);
            case F16 -> Memory.getHalf(at + lane * 2);
            case BF16 -> Float.intBitsToFloat(Memory.getShort(at + lane * 2) << 16);
            case Q4_0, Q4_1, Q8_0, Q5_1, Q4_K, Q5_K, Q6_K -> throw new IllegalStateException(form.name());
        };
    }

    /** Decodes a row to floats at an address. */
    void decode(int row, long to) {
        long group = area.address() + row / 16 * form.groupBytes(cols);
        int lane = row % 16;
        switch (form) {
            case F32 -> {
                for (int i = 0; i < cols; i++) {
                    Memory.setFloat(to + 4L * i, Memory.getFloat(group + i * 64L + lane * 4));
                }
            }
            case F16 -> {
                for (int i = 0; i < cols; i++) {
                    Memory.setFloat(to + 4L * i, Memory.getHalf(group + i * 32L + lane * 2));
                }
            }
            case BF16 -> {
                for (int i = 0; i < cols; i++) {
                    Memory.setInt(to + 4L * i, Memory.getShort(group + i * 32L + lane * 2) << 16);
                }
            }
            case Q4_0, Q4_1, Q8_0, Q5_1 -> {
                for (int b = 0; b < cols / 32; b++) {
                    decodeBlock(group + (long) b * form.blockBytes, lane, to + b * 128L);
                }
            }
            case Q4_K, Q5_K, Q6_K -> {
                for (int b = 0; b < cols / 32; b += 8) {
                    PackedBlocks.decode(form, group + (long) b * form.blockBytes, lane, to + b * 128L);
                }
            }
        }
    }

    private void decodeBlock(long block, int lane, long to) {
        float d = Memory.getHalf(block + lane * 2);
        boolean minima = form == Form.Q4_1 || form == Form.Q5_1;
        float m = minima ? Memory.getHalf(block + 32 + lane * 2) : 0;
        long quants = block + form.quants + lane * 4;
        for (int i = 0; i < 32; i++) {
            int q = form.ofNibbles()
                    ? Memory.getByte(quants + i % 16 / 4 * 64 + i % 4) >> (i < 16 ? 0 : 4) & 15
                    : Memory.getByte(quants + i / 4 * 64 + i % 4) & 255;
            // for the biased forms d·(q − bias): the same value as the file's, rounded once
            Memory.setFloat(to + 4L * i, minima ? d * q + m : d * (q - form.bias));
        }
    }
}
