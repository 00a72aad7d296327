package dev.lory.worker;

import java.nio.file.Path;
import java.util.Locale;

/**
 * Loads a model in this process, once, for {@code src/test/scripts/loading.py}: prints the seconds until the first weight is asked for, with
 * configuration, tokenizer and kernels ready, and those until the last is in memory.
 */
final class LoadSpeed {
    private LoadSpeed() {}

    /** @param arguments a model, and what its weights are kept as */
    public static void main(String... arguments) {
        SmallOptions options = new SmallOptions(Path.of(arguments[0]));
        options.dtype = arguments[1];
        options.threads = 0;
        options.maxNumBatchedTokens = 512;
        options.kvCacheBytes = 0;
        long began = System.nanoTime();
        LoadListener listener = (bytes, total) -> {
            if (bytes == 0 || bytes == total) {
                System.out.printf(Locale.ROOT, "%.3f%n", (System.nanoTime() - began) / 1e9);
            }
        };
        LocalWorker.open(options.get(), listener).close();
    }
}
