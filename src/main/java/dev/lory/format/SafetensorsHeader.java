package dev.lory.format;

import com.fasterxml.jackson.databind.JsonNode;
import dev.lory.error.ErrorCode;
import dev.lory.error.ServiceException;
import dev.lory.tensor.DType;
import dev.lory.tensor.Layouts;
import dev.lory.tensor.Tensor;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * One safetensors file: the length of a JSON header in 8 bytes, the header, then the tensors, which fill the rest
 * without holes or overlaps (the safetensors format description).
 */
final class SafetensorsHeader {
    private static final long MAX_HEADER_BYTES = 100_000_000;

    /** Bits of an element of every type the format has; those that {@link DType} lacks can be stored but not read. */
    private static final Map<String, Integer> BITS = Map.ofEntries(
            Map.entry("F4", 4),
            Map.entry("F6_E2M3", 6),
            Map.entry("F6_E3M2", 6),
            Map.entry("BOOL", 8),
            Map.entry("U8", 8),
            Map.entry("I8", 8),
            Map.entry("F8_E5M2", 8),
            Map.entry("F8_E4M3", 8),
            Map.entry("F8_E8M0", 8),
            Map.entry("I16", 16),
            Map.entry("U16", 16),
            Map.entry("F16", 16),
            Map.entry("BF16", 16),
            Map.entry("I32", 32),
            Map.entry("U32", 32),
            Map.entry("F32", 32),
            Map.entry("I64", 64),
            Map.entry("U64", 64),
            Map.entry("F64", 64),
            Map.entry("C64", 64));

    /** @param begin where the bytes start in the file, {@code end} the byte after the last */
    private record Entry(String name, String dtype, List<Long> shape, long begin, long end) {}

    private final MappedFile file;
    private final Map<String, Entry> entries = new LinkedHashMap<>();

    SafetensorsHeader(MappedFile file) {
        this.file = file;
        if (file.size() < 8) {
            throw file.invalid("is no safetensors file: it has " + file.size() + " bytes, the header length alone 8");
        }
        long length = file.bytes().get(Layouts.LONG, 0);
        if (length < 2 || length > MAX_HEADER_BYTES || length > file.size() - 8) {
            throw file.invalid("is no safetensors file: a header of " + Long.toUnsignedString(length)
                    + " bytes does not fit a file of " + file.size());
        }
        byte[] json = file.bytes().asSlice(8, length).toArray(ValueLayout.JAVA_BYTE);
        JsonFile.parse(file.path(), json).entries().forEachRemaining(entry -> {
            if (!entry.getKey().equals("__metadata__")) {
                entries.put(entry.getKey(), entry(entry.getKey(), entry.getValue(), 8 + length));
            }
        });
        checkTiling(8 + length);
    }

    Iterable<String> names() {
        return entries.keySet();
    }

    boolean has(String name) {
        return entries.containsKey(name);
    }

    /** Of a tensor that {@link #has} confirms. */
    TensorInfo info(String name) {
        Entry entry = known(name);
        DType dtype = DType.ofSafetensors(entry.dtype)
                .orElseThrow(() -> new ServiceException(
                        ErrorCode.UNSUPPORTED_DTYPE,
                        file.path() + ": tensor " + name + " is of type " + entry.dtype
                                + "; F32, F16 and BF16 can be read"));
        List<Long> shape = entry.shape;
        if (shape.size() > 2 || shape.stream().anyMatch(dim -> dim > Integer.MAX_VALUE)) {
            throw file.invalid("tensor " + name + " has shape " + shape + " but a matrix or vector is wanted");
        }
        int cols = shape.isEmpty() ? 1 : shape.getLast().intValue();
        int rows = shape.size() == 2 ? shape.getFirst().intValue() : 1;
        return new TensorInfo(dtype, rows, cols);
    }

    /** A tensor that {@link #has} confirms. */
    Tensor tensor(String name) {
        return file.tensor(info(name), known(name).begin);
    }

    private Entry known(String name) {
        return Objects.requireNonNull(entries.get(name), name);
    }

    private Entry entry(String name, JsonNode node, long dataStart) {
        JsonNode dtype = node.path("dtype");
        if (!dtype.isTextual() || !BITS.containsKey(dtype.textValue())) {
            throw file.invalid("tensor " + name + " has dtype " + dtype + ", which safetensors does not know");
        }
        List<Long> shape = longs(name, node, "shape");
        List<Long> offsets = longs(name, node, "data_offsets");
        if (offsets.size() != 2 || offsets.get(0) > offsets.get(1) || offsets.get(1) > file.size() - dataStart) {
            throw file.invalid("tensor " + name + " has data_offsets " + offsets
                    + "; wanted are a begin and an end within " + (file.size() - dataStart) + " bytes of data");
        }
        long bytes = offsets.get(1) - offsets.get(0);
        if (bytesOf(name, shape, BITS.get(dtype.textValue())) != bytes) {
            throw file.invalid("tensor " + name + " of type " + dtype.textValue() + " and shape " + shape
                    + " does not take the " + bytes + " bytes it is given");
        }
        return new Entry(name, dtype.textValue(), shape, dataStart + offsets.get(0), dataStart + offsets.get(1));
    }

    private long bytesOf(String name, List<Long> shape, int bits) {
        try {
            long product = bits;
            for (long dim : shape) {
                product = Math.multiplyExact(product, dim);
            }
            return product % 8 == 0 ? product / 8 : -1;
        } catch (ArithmeticException e) {
            throw file.invalid("tensor " + name + " has shape " + shape + ", more elements than can be counted");
        }
    }

    private List<Long> longs(String name, JsonNode node, String key) {
        JsonNode list = node.path(key);
        List<Long> values = new ArrayList<>();
        boolean good = list.isArray();
        for (JsonNode value : list) {
            good = good && value.isIntegralNumber() && value.canConvertToLong() && value.longValue() >= 0;
            values.add(value.longValue());
        }
        if (!good) {
            throw file.invalid("tensor " + name + " has " + key + " " + list + " but a list of counts is wanted");
        }
        return List.copyOf(values);
    }

    private void checkTiling(long dataStart) {
        long covered = dataStart;
        List<Entry> sorted = entries.values().stream()
                .sorted(Comparator.comparingLong(Entry::begin).thenComparingLong(Entry::end))
                .toList();
        for (Entry entry : sorted) {
            if (entry.begin != covered) {
                throw file.invalid("tensor " + entry.name + " starts at byte " + entry.begin
                        + (entry.begin < covered ? " inside another tensor" : " after a hole") + "; byte " + covered
                        + " is next");
            }
            covered = entry.end;
        }
        if (covered != file.size()) {
            throw file.invalid((file.size() - covered) + " bytes at its end belong to no tensor");
        }
    }
}
