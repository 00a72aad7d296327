package dev.lory.format;

import dev.lory.error.ErrorCode;
import dev.lory.error.ServiceException;
import dev.lory.tensor.Tensor;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** A file mapped read-only; its errors name it. */
record MappedFile(Path path, MemorySegment bytes) {
    /** An arena for mappings, which any thread may read; the caller owns and closes it. */
    @SuppressWarnings("MustBeClosedChecker") // its owner lives longer than any block of code
    static Arena arena() {
        return Arena.ofShared();
    }

    static MappedFile map(Path path, Arena arena) {
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
            return new MappedFile(path, channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena));
        } catch (IOException e) {
            throw new ServiceException(ErrorCode.INVALID_MODEL, path + ": cannot be read: " + e, e);
        }
    }

    long size() {
        return bytes.byteSize();
    }

    /** The bytes of a matrix; the caller has checked that they lie inside the file. */
    Tensor tensor(TensorInfo info, long offset) {
        return new Tensor(info.dtype(), info.rows(), info.cols(), bytes.asSlice(offset, info.bytes()));
    }

    ServiceException invalid(String detail) {
        return invalid(path, detail);
    }

    static ServiceException invalid(Path path, String detail) {
        return new ServiceException(ErrorCode.INVALID_MODEL, path + ": " + detail);
    }
}
