package dev.lory.format;

import dev.lory.error.ErrorCode;
import dev.lory.error.ServiceException;
import dev.lory.tensor.DType;
import dev.lory.tensor.Tensor;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** A GGUF file, version 2 or 3, little endian, with its own tensor names and layout (GGUF specification). */
final class GgufFile {
    private static final int MAGIC = 0x46554747;
    private static final long MAX_ALIGNMENT = 1 << 16;

    /** The least a tensor's entry and a metadata pair take, which bounds how many a file can hold. */
    static final int MIN_TENSOR_BYTES = 24;

    static final int MIN_PAIR_BYTES = 13;

    /** Types that exist but cannot be read here, for the error message. */
    private static final Map<Integer, String> OTHER_TYPES = Map.ofEntries(
            Map.entry(9, "Q8_1"),
            Map.entry(15, "Q8_K"),
            Map.entry(16, "IQ2_XXS"),
            Map.entry(17, "IQ2_XS"),
            Map.entry(18, "IQ3_XXS"),
            Map.entry(19, "IQ1_S"),
            Map.entry(20, "IQ4_NL"),
            Map.entry(21, "IQ3_S"),
            Map.entry(22, "IQ2_S"),
            Map.entry(23, "IQ4_XS"),
            Map.entry(24, "I8"),
            Map.entry(25, "I16"),
            Map.entry(26, "I32"),
            Map.entry(27, "I64"),
            Map.entry(28, "F64"),
            Map.entry(29, "IQ1_M"),
            Map.entry(34, "TQ1_0"),
            Map.entry(35, "TQ2_0"),
            Map.entry(39, "MXFP4"));

    /** @param offset of the first byte, from the start of the file */
    private record Entry(String name, TensorInfo info, long offset) {
        long end() {
            return offset + info.bytes();
        }

        Entry movedBy(long bytes) {
            return new Entry(name, info, offset + bytes);
        }
    }

    private final MappedFile file;
    private final GgufMetadata metadata;
    private final Map<String, Entry> tensors = new LinkedHashMap<>();

    /**
     * Maps a file into {@code arena} and checks every length and offset in it.
     *
     * @throws ServiceException {@code INVALID_MODEL} naming file and key or tensor; {@code UNSUPPORTED_DTYPE}
     */
    GgufFile(Path path, Arena arena) {
        file = MappedFile.map(path, arena);
        GgufCursor in = begin(file);
        int tensorCount = in.count("the number of tensors", MIN_TENSOR_BYTES);
        int pairCount = in.count("the number of metadata pairs", MIN_PAIR_BYTES);
        metadata = new GgufMetadata(in, pairCount);
        long alignment = alignment();
        for (int i = 0; i < tensorCount; i++) {
            Entry entry = entry(in, i, alignment);
            if (tensors.put(entry.name, entry) != null) {
                throw file.invalid("has the tensor " + entry.name + " twice");
            }
        }
        long dataStart = (in.position() + alignment - 1) / alignment * alignment;
        tensors.replaceAll((name, entry) -> entry.movedBy(dataStart));
        checkPlaces(dataStart);
    }

    /** Behind magic number and version, which have been checked. */
    static GgufCursor begin(MappedFile file) {
        GgufCursor in = new GgufCursor(file);
        if (in.u32("the magic number") != MAGIC) {
            throw file.invalid("is no GGUF file: it does not begin with GGUF");
        }
        int version = in.u32("the version");
        if (version != 2 && version != 3) {
            throw file.invalid(
                    version >>> 16 != 0 && version << 16 == 0
                            ? "is a big-endian GGUF file, which is not supported"
                            : "is of GGUF version " + Integer.toUnsignedString(version) + "; 2 and 3 are supported");
        }
        return in;
    }

    Path path() {
        return file.path();
    }

    GgufMetadata metadata() {
        return metadata;
    }

    Set<String> names() {
        return Collections.unmodifiableSet(tensors.keySet());
    }

    /** Type and shape; all dimensions but the fastest are counted as rows. */
    Optional<TensorInfo> info(String name) {
        return Optional.ofNullable(tensors.get(name)).map(Entry::info);
    }

    Optional<Tensor> tensor(String name) {
        return Optional.ofNullable(tensors.get(name)).map(entry -> file.tensor(entry.info, entry.offset));
    }

    private long alignment() {
        long alignment = metadata.integer("general.alignment").orElse(32);
        if (alignment < 8 || alignment > MAX_ALIGNMENT || Long.bitCount(alignment) != 1) {
            throw file.invalid(
                    "general.alignment is " + alignment + " but must be a power of two from 8 to " + MAX_ALIGNMENT);
        }
        return alignment;
    }

    /** One entry of the tensor list, with the offset still counted from the start of the data. */
    private Entry entry(GgufCursor in, int index, long alignment) {
        String name = in.string("the name of tensor " + index);
        int rank = in.u32("the rank of tensor " + name);
        if (rank < 1 || rank > 4) {
            throw file.invalid(
                    "tensor " + name + " has " + Integer.toUnsignedString(rank) + " dimensions; 1 to 4 are possible");
        }
        long cols = dimension(in, name);
        long rows = 1;
        for (int i = 1; i < rank; i++) {
            rows *= dimension(in, name);
            if (rows > Integer.MAX_VALUE) {
                throw file.invalid("tensor " + name + " has more than " + Integer.MAX_VALUE + " rows");
            }
        }
        DType dtype = dtype(name, in.u32("the type of tensor " + name));
        if (cols % dtype.blockLength() != 0) {
            throw file.invalid("tensor " + name + " has rows of " + cols + ", no multiple of the " + dtype.blockLength()
                    + " of a " + dtype + " block");
        }
        if (dtype.rowBytes(cols) > file.size() / rows) {
            throw file.invalid("tensor " + name + " of " + rows + " rows of " + cols + " is larger than the file");
        }
        long offset = in.u64("the offset of tensor " + name);
        if (offset < 0 || offset > file.size() || offset % alignment != 0) {
            throw file.invalid("tensor " + name + " has the offset " + Long.toUnsignedString(offset)
                    + ", which is outside the file or no multiple of the alignment " + alignment);
        }
        return new Entry(name, new TensorInfo(dtype, (int) rows, (int) cols), offset);
    }

    private long dimension(GgufCursor in, String name) {
        long dimension = in.u64("the dimensions of tensor " + name);
        if (dimension < 1 || dimension > Integer.MAX_VALUE) {
            throw file.invalid("tensor " + name + " has a dimension of " + Long.toUnsignedString(dimension) + "; 1 to "
                    + Integer.MAX_VALUE + " are possible");
        }
        return dimension;
    }

    private DType dtype(String name, int id) {
        return DType.ofGgml(id).orElseThrow(() -> {
            String type = OTHER_TYPES.get(id);
            return type == null
                    ? file.invalid("tensor " + name + " has the unknown type " + Integer.toUnsignedString(id))
                    : new ServiceException(
                            ErrorCode.UNSUPPORTED_DTYPE,
                            file.path() + ": tensor " + name + " is of type " + type + ", which is not supported");
        });
    }

    private void checkPlaces(long dataStart) {
        long end = dataStart;
        List<Entry> sorted = tensors.values().stream()
                .sorted(Comparator.comparingLong(Entry::offset))
                .toList();
        for (Entry entry : sorted) {
            if (entry.offset < end) {
                throw file.invalid("tensor " + entry.name + " at byte " + entry.offset
                        + " overlaps another, which ends at " + end);
            }
            end = entry.end();
            if (end > file.size()) {
                throw file.invalid("tensor " + entry.name + " ends at byte " + end + " of a file of " + file.size());
            }
        }
    }
}
