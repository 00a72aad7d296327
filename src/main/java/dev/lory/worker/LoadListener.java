package dev.lory.worker;

/** Is told how far the loading of a model has come, by the thread that loads. */
@FunctionalInterface
public interface LoadListener {
    /**
     * @param bytes of the model's tensors that are loaded
     * @param total of them all; equal to {@code bytes} in the last call
     */
    void loaded(long bytes, long total);
}
