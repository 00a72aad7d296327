package dev.lory.format;

import dev.lory.error.ErrorCode;
import dev.lory.error.ServiceException;
import dev.lory.tensor.DType;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;

/** What the weights of a model are kept as in memory: {@code --dtype}. */
public enum WeightType {
    /** As the file has them. */
    AUTO,
    F32,
    BF16,
    F16,
    Q8_0,
    Q4_0;

    /** The type to convert to; none for {@link #AUTO}. */
    Optional<DType> dtype() {
        return this == AUTO ? Optional.empty() : Optional.of(DType.valueOf(name()));
    }

    /**
     * The one of this name, in lower case.
     *
     * @throws ServiceException {@code INVALID_CONFIGURATION} naming all there are
     */
    public static WeightType of(String name) {
        return Arrays.stream(values())
                .filter(type -> type.toString().equals(name))
                .findFirst()
                .orElseThrow(() -> new ServiceException(
                        ErrorCode.INVALID_CONFIGURATION,
                        "--dtype is one of " + Arrays.toString(values()) + " but not " + name));
    }

    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
