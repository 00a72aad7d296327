package dev.lory.format;

import dev.lory.error.ServiceException;
import dev.lory.tensor.Tensor;
import java.util.Set;

/** The tensors of a model or adapter by their Hugging Face names. They live until the source is closed. */
public interface TensorSource extends AutoCloseable {
    /** All names, in file order. */
    Set<String> names();

    default boolean has(String name) {
        return names().contains(name);
    }

    /**
     * The tensor in Hugging Face layout, {@code [out, in]} for a linear; a vector is {@code [1, n]}.
     *
     * @throws ServiceException {@code INVALID_MODEL} naming file and tensor if there is none, or if its shape is no
     *     matrix; {@code UNSUPPORTED_DTYPE} if its type is not known here
     */
    Tensor tensor(String name);

    /** Unmaps the files; every tensor handed out is invalid from then on. */
    @Override
    void close();
}
