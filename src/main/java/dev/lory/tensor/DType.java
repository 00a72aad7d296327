package dev.lory.tensor;

import dev.lory.error.ErrorCode;
import dev.lory.error.ServiceException;
import java.util.Optional;

/**
 * How the elements of a row are stored: plain numbers, or blocks of quants with a scale.
 * Ids are those of {@code ggml_type} (GGUF specification), names those of the safetensors specification.
 */
public enum DType {
    F32(1, 4, 0, BlockCodec.F32),
    F16(1, 2, 1, BlockCodec.F16),
    BF16(1, 2, 30, BlockCodec.BF16),
    Q4_0(32, 18, 2, BlockCodec.Q4_0),
    Q4_1(32, 20, 3, BlockCodec.Q4_1),
    Q5_0(32, 22, 6, BlockCodec.Q5_0),
    Q5_1(32, 24, 7, BlockCodec.Q5_1),
    Q8_0(32, 34, 8, BlockCodec.Q8_0),
    Q2_K(256, 84, 10, new Q2KCodec()),
    Q3_K(256, 110, 11, new Q3KCodec()),
    Q4_K(256, 144, 12, new Q4KCodec()),
    Q5_K(256, 176, 13, new Q5KCodec()),
    Q6_K(256, 210, 14, new Q6KCodec());

    private final int blockLength;
    private final int blockBytes;
    private final int ggmlId;
    private final BlockCodec codec;

    DType(int blockLength, int blockBytes, int ggmlId, BlockCodec codec) {
        this.blockLength = blockLength;
        this.blockBytes = blockBytes;
        this.ggmlId = ggmlId;
        this.codec = codec;
    }

    /** Elements per block; a row is a whole number of blocks. */
    public int blockLength() {
        return blockLength;
    }

    /** Bytes per block. */
    public int blockBytes() {
        return blockBytes;
    }

    /** The number of this type in a GGUF file. */
    public int ggmlId() {
        return ggmlId;
    }

    /** Reads blocks of this type. */
    public BlockCodec codec() {
        return codec;
    }

    /** Writes blocks of this type; there is none for the types that are only read. */
    public Optional<BlockEncoder> encoder() {
        return switch (this) {
            case F32 -> Optional.of(BlockEncoder.F32);
            case F16 -> Optional.of(BlockEncoder.F16);
            case BF16 -> Optional.of(BlockEncoder.BF16);
            case Q4_0 -> Optional.of(BlockEncoder.Q4_0);
            case Q8_0 -> Optional.of(BlockEncoder.Q8_0);
            case Q4_1, Q5_0, Q5_1, Q2_K, Q3_K, Q4_K, Q5_K, Q6_K -> Optional.empty();
        };
    }

    /**
     * Bytes of one row.
     *
     * @throws ServiceException {@code UNSUPPORTED_DTYPE} if a row of {@code cols} is no whole number of blocks
     */
    public long rowBytes(long cols) {
        if (cols % blockLength != 0) {
            throw new ServiceException(
                    ErrorCode.UNSUPPORTED_DTYPE,
                    "a row of " + this + " needs a multiple of " + blockLength + " columns but has " + cols);
        }
        return cols / blockLength * blockBytes;
    }

    /** The type with this {@code ggml_type} number, if it is known here. */
    public static Optional<DType> ofGgml(int id) {
        for (DType type : values()) {
            if (type.ggmlId == id) {
                return Optional.of(type);
            }
        }
        return Optional.empty();
    }

    /** The type with this safetensors name; only unquantised types have one. */
    public static Optional<DType> ofSafetensors(String name) {
        for (DType type : values()) {
            if (type.blockLength == 1 && type.name().equals(name)) {
                return Optional.of(type);
            }
        }
        return Optional.empty();
    }
}
