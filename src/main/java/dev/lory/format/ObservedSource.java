package dev.lory.format;

import dev.lory.tensor.Tensor;
import java.lang.foreign.Arena;
import java.util.Set;
import java.util.function.LongConsumer;

/** Another source that tells how many bytes of tensors were asked for before the one that is asked for. One thread. */
public final class ObservedSource implements TensorSource {
    private final TensorSource source;
    private final LongConsumer done;
    private long bytes;

    /** @param done receives the bytes */
    public ObservedSource(TensorSource source, LongConsumer done) {
        this.source = source;
        this.done = done;
    }

    /** Bytes of all tensors together. */
    public static long bytes(TensorSource source) {
        return source.names().stream()
                .mapToLong(name -> source.info(name).bytes())
                .sum();
    }

    @Override
    public Set<String> names() {
        return source.names();
    }

    @Override
    public TensorInfo info(String name) {
        return source.info(name);
    }

    @Override
    public Tensor tensor(String name, Arena arena) {
        done.accept(bytes);
        bytes += source.info(name).bytes();
        return source.tensor(name, arena);
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
