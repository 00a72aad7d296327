package dev.lory.format;

import dev.lory.error.ServiceException;
import dev.lory.tensor.Tensor;
import java.lang.foreign.Arena;
import java.util.Set;

/**
 * The tensors of a model or adapter by their Hugging Face names, {@code [out, in]} for a linear; a vector is
 * {@code [1, n]}. Prints as the file or folder they come from, which messages about them begin with.
 */
public interface TensorSource extends AutoCloseable {
    /** All names, in file order. */
    Set<String> names();

    default boolean has(String name) {
        return names().contains(name);
    }

    /**
     * Type and shape of a tensor, without touching its bytes.
     *
     * @throws ServiceException {@code INVALID_MODEL} naming file and tensor if there is none, or if its shape is no
     *     matrix; {@code UNSUPPORTED_DTYPE} if its type is not known here
     */
    TensorInfo info(String name);

    /**
     * The tensor in Hugging Face layout: a view of the mapped file that lives until the source is closed or, if it is
     * not stored like this, a copy.
     *
     * @param arena where a copy is put, shared by the threads that read it; to be closed as soon as it was used
     * @throws ServiceException as {@link #info}
     */
    Tensor tensor(String name, Arena arena);

    /** Unmaps the files; every tensor handed out is invalid from then on. */
    @Override
    void close();
}
