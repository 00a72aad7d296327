package dev.lory.tensor;

import dev.lory.error.ErrorCode;
import dev.lory.error.ServiceException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * A matrix {@code [rows, cols]}, row after row without gaps, outside the Java heap. A vector is one row.
 * Slices share the storage; whoever made the arena or mapping behind it closes it.
 */
public final class Tensor {
    private final DType dtype;
    private final int rows;
    private final int cols;
    private final long rowBytes;
    private final MemorySegment storage;

    /**
     * @param storage at least {@code rows} rows from its start on
     * @throws ServiceException {@code UNSUPPORTED_DTYPE} if {@code cols} is no whole number of blocks,
     *     {@code INTERNAL} if the storage is too small
     */
    public Tensor(DType dtype, int rows, int cols, MemorySegment storage) {
        this.dtype = dtype;
        this.rows = rows;
        this.cols = cols;
        this.rowBytes = dtype.rowBytes(cols);
        if (rows < 0 || cols < 0 || storage.byteSize() < rows * rowBytes) {
            throw new ServiceException(
                    ErrorCode.INTERNAL,
                    "a " + dtype + " matrix [" + rows + ", " + cols + "] does not fit " + storage.byteSize()
                            + " bytes");
        }
        this.storage = storage.asSlice(0, rows * rowBytes);
    }

    /** A zeroed matrix, 64-byte aligned, that lives as long as {@code arena}. */
    public static Tensor allocate(Arena arena, DType dtype, int rows, int cols) {
        return new Tensor(dtype, rows, cols, arena.allocate(Math.max(1, rows * dtype.rowBytes(cols)), 64));
    }

    /** A copy of {@code values} as one F32 row after the other. */
    public static Tensor of(Arena arena, int rows, int cols, float... values) {
        Tensor tensor = allocate(arena, DType.F32, rows, cols);
        MemorySegment.copy(values, 0, tensor.storage, Layouts.FLOAT, 0, rows * cols);
        return tensor;
    }

    public DType dtype() {
        return dtype;
    }

    public int rows() {
        return rows;
    }

    public int cols() {
        return cols;
    }

    /** Bytes from one row to the next. */
    public long rowBytes() {
        return rowBytes;
    }

    /** Bytes of the whole matrix. */
    public long bytes() {
        return rows * rowBytes;
    }

    /** The bytes themselves, exactly {@link #bytes()} long. */
    public MemorySegment storage() {
        return storage;
    }

    /** Rows {@code from} to {@code from + count - 1}, sharing the storage. */
    public Tensor slice(int from, int count) {
        return new Tensor(dtype, count, cols, storage.asSlice(from * rowBytes, count * rowBytes));
    }

    /** Element of an F32 matrix. */
    public float get(int row, int col) {
        return storage.get(Layouts.FLOAT, row * rowBytes + col * 4L);
    }

    /** Sets an element of an F32 matrix. */
    public void set(int row, int col, float value) {
        storage.set(Layouts.FLOAT, row * rowBytes + col * 4L, value);
    }

    /** Decodes one row of any type into {@code out[0 .. cols-1]}. */
    public void decodeRow(int row, float[] out) {
        BlockCodec codec = dtype.codec();
        int length = dtype.blockLength();
        long offset = row * rowBytes;
        for (int at = 0; at < cols; at += length) {
            codec.decode(storage, offset, out, at);
            offset += dtype.blockBytes();
        }
    }

    /**
     * Encodes {@code values[0 .. cols-1]} as one row.
     *
     * @throws ServiceException {@code UNSUPPORTED_DTYPE} if this type is only read
     */
    public void encodeRow(int row, float[] values) {
        BlockEncoder encoder = dtype.encoder()
                .orElseThrow(() -> new ServiceException(
                        ErrorCode.UNSUPPORTED_DTYPE, "blocks of " + dtype + " can be read but not written"));
        long offset = row * rowBytes;
        for (int at = 0; at < cols; at += dtype.blockLength()) {
            encoder.encode(values, at, storage, offset);
            offset += dtype.blockBytes();
        }
    }

    /** One row of any type as floats. */
    public float[] row(int row) {
        float[] out = new float[cols];
        decodeRow(row, out);
        return out;
    }

    @Override
    public String toString() {
        return dtype + "[" + rows + ", " + cols + "]";
    }
}
