package dev.lory.format;

import dev.lory.error.ErrorCode;
import dev.lory.error.ServiceException;
import dev.lory.tensor.DType;
import dev.lory.tensor.Tensor;
import java.lang.foreign.Arena;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * Another source with its weights in another type, rounded to the nearest as ggml does. What llama.cpp never quantises stays as it
 * is: norms, biases, and the gate that chooses experts.
 */
public final class ConvertedSource implements TensorSource {
    private final TensorSource source;
    private final DType dtype;

    private ConvertedSource(TensorSource source, DType dtype) {
        this.source = source;
        this.dtype = dtype;
    }

    /** The source as it is wanted; it is the same object where nothing is to be converted. */
    public static TensorSource of(TensorSource source, WeightType type) {
        return type.dtype()
                .<TensorSource>map(dtype -> new ConvertedSource(source, dtype))
                .orElse(source);
    }

    @Override
    public Set<String> names() {
        return source.names();
    }

    @Override
    public TensorInfo info(String name) {
        TensorInfo stored = source.info(name);
        if (stored.rows() == 1 || stored.dtype() == dtype || name.endsWith(".block_sparse_moe.gate.weight")) {
            return stored;
        }
        if (stored.cols() % dtype.blockLength() != 0) {
            throw new ServiceException(
                    ErrorCode.UNSUPPORTED_DTYPE,
                    source + ": tensor " + name + " has rows of " + stored.cols() + "; " + dtype
                            + " needs multiples of " + dtype.blockLength());
        }
        return new TensorInfo(dtype, stored.rows(), stored.cols());
    }

    @Override
    public Tensor tensor(String name, Arena arena) {
        TensorInfo wanted = info(name);
        Tensor stored = source.tensor(name, arena);
        if (wanted.dtype() == stored.dtype()) {
            return stored;
        }
        Tensor converted = Tensor.allocate(arena, dtype, wanted.rows(), wanted.cols());
        IntStream.range(0, wanted.rows()).parallel().forEach(row -> converted.encodeRow(row, stored.row(row)));
        return converted;
    }

    @Override
    public String toString() {
        return source.toString();
    }

    @Override
    public void close() {
        source.close();
    }
}
