package dev.lory.format;

import dev.lory.error.ServiceException;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** The typed key-value pairs of a GGUF file. Whole numbers of all widths are one type, and so are both floats. */
public final class GgufMetadata {
    private static final int BOOL = 7;
    private static final int STRING = 8;
    private static final int ARRAY = 9;

    private final Path path;
    private final Map<String, Object> values = new LinkedHashMap<>();

    GgufMetadata(GgufCursor in, int count) {
        this.path = in.file().path();
        for (int i = 0; i < count; i++) {
            String key = in.string("metadata key " + i);
            int type = in.u32("the type of " + key);
            if (values.put(key, type == ARRAY ? array(in, key) : value(in, key, type)) != null) {
                throw in.file().invalid("has the metadata key " + key + " twice");
            }
        }
    }

    /**
     * The pairs of a file, and nothing else of it: its tensors may be of types that cannot be computed with here.
     *
     * @throws ServiceException {@code INVALID_MODEL} naming the file and what is wrong with it
     */
    public static GgufMetadata read(Path path) {
        try (Arena arena = MappedFile.arena()) {
            GgufCursor in = GgufFile.begin(MappedFile.map(path, arena));
            in.count("the number of tensors", GgufFile.MIN_TENSOR_BYTES);
            return new GgufMetadata(in, in.count("the number of metadata pairs", GgufFile.MIN_PAIR_BYTES));
        }
    }

    /** The file these come from. */
    public Path path() {
        return path;
    }

    public Optional<String> string(String key) {
        return as(String.class, key, "a string");
    }

    public Optional<Boolean> flag(String key) {
        return as(Boolean.class, key, "true or false");
    }

    /** @throws ServiceException {@code INVALID_MODEL} if the value is no whole number from 0 to 2³¹−1 */
    public Optional<Integer> integer(String key) {
        return as(Long.class, key, "a whole number").map(value -> {
            if (value < 0 || value > Integer.MAX_VALUE) {
                throw MappedFile.invalid(path, key + " is " + Long.toUnsignedString(value) + ", which is out of range");
            }
            return value.intValue();
        });
    }

    public Optional<Double> number(String key) {
        return as(Double.class, key, "a floating-point number");
    }

    /** An unmodifiable list of strings. */
    public Optional<List<String>> strings(String key) {
        return as(String[].class, key, "an array of strings").map(List::of);
    }

    /** A copy of an array of whole numbers. */
    public Optional<long[]> integers(String key) {
        return as(long[].class, key, "an array of whole numbers").map(long[]::clone);
    }

    /** A copy of an array of floating-point numbers. */
    public Optional<double[]> numbers(String key) {
        return as(double[].class, key, "an array of floating-point numbers").map(double[]::clone);
    }

    /** The value of a key that must be there, by one of the methods above. */
    public <T> T required(String key, Function<String, Optional<T>> read) {
        return read.apply(key).orElseThrow(() -> MappedFile.invalid(path, "has no metadata key " + key));
    }

    Set<String> keys() {
        return Collections.unmodifiableSet(values.keySet());
    }

    /** The value of a key as it was read, a {@code Long} for every whole number and a {@code Double} for the others. */
    Optional<Object> get(String key) {
        return Optional.ofNullable(values.get(key));
    }

    /** The value of a key as text, for messages. */
    String printed(String key) {
        return String.valueOf(values.get(key));
    }

    private <T> Optional<T> as(Class<T> type, String key, String wanted) {
        @Nullable Object value = values.get(key);
        if (value != null && !type.isInstance(value)) {
            throw MappedFile.invalid(
                    path, key + " is of type " + value.getClass().getSimpleName() + " but must be " + wanted);
        }
        return Optional.ofNullable(type.cast(value));
    }

    private Object value(GgufCursor in, String key, int type) {
        return switch (type) {
            case 0 -> (long) Byte.toUnsignedInt(in.u8(key));
            case 1 -> (long) in.u8(key);
            case 2 -> (long) Short.toUnsignedInt(in.u16(key));
            case 3 -> (long) in.u16(key);
            case 4 -> Integer.toUnsignedLong(in.u32(key));
            case 5 -> (long) in.u32(key);
            case 6 -> (double) in.f32(key);
            case BOOL -> in.u8(key) != 0;
            case STRING -> in.string(key);
            case 10, 11 -> in.u64(key);
            case 12 -> in.f64(key);
            default ->
                throw MappedFile.invalid(path, key + " has the unknown value type " + Integer.toUnsignedString(type));
        };
    }

    private Object array(GgufCursor in, String key) {
        int type = in.u32("the element type of " + key);
        int bytesEach = switch (type) {
            case 0, 1, BOOL -> 1;
            case 2, 3 -> 2;
            case 4, 5, 6 -> 4;
            case STRING, 10, 11, 12 -> 8;
            case ARRAY -> throw MappedFile.invalid(path, key + " is an array of arrays, which is not supported");
            default ->
                throw MappedFile.invalid(path, key + " has the unknown element type " + Integer.toUnsignedString(type));
        };
        int count = in.count("the number of elements of " + key, bytesEach);
        if (type == STRING) {
            String[] strings = new String[count];
            for (int i = 0; i < count; i++) {
                strings[i] = in.string(key);
            }
            return strings;
        }
        if (type == BOOL) {
            boolean[] flags = new boolean[count];
            for (int i = 0; i < count; i++) {
                flags[i] = in.u8(key) != 0;
            }
            return flags;
        }
        if (type == 6 || type == 12) {
            double[] numbers = new double[count];
            for (int i = 0; i < count; i++) {
                numbers[i] = (double) value(in, key, type);
            }
            return numbers;
        }
        long[] integers = new long[count];
        for (int i = 0; i < count; i++) {
            integers[i] = (long) value(in, key, type);
        }
        return integers;
    }
}
