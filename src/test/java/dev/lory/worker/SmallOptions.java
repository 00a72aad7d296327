package dev.lory.worker;

import dev.lory.adapter.AdapterPolicy;
import dev.lory.xlora.XLoraPolicy;
import java.nio.file.Path;

/** Options of a small worker for tests; each says what matters to it. */
final class SmallOptions {
    private final Path model;
    String tokenizer = "";
    String chatTemplate = "";
    String kernels = "auto";
    String dtype = "auto";
    int threads = 1;
    int maxModelLen;
    int maxNumSeqs = 4;
    int maxNumBatchedTokens = 64;
    long kvCacheBytes = 4 << 20;
    int maxWaiting = 8;
    XLoraPolicy xloraPolicy = XLoraPolicy.DEFAULT;
    ResidencyLimits residency = ResidencyLimits.DEFAULT;

    SmallOptions(Path model) {
        this.model = model;
    }

    WorkerOptions get() {
        return new WorkerOptions(
                model,
                tokenizer,
                chatTemplate,
                "",
                kernels,
                dtype,
                threads,
                maxModelLen,
                maxNumSeqs,
                maxNumBatchedTokens,
                0,
                kvCacheBytes,
                maxWaiting,
                AdapterPolicy.DEFAULT,
                xloraPolicy,
                residency);
    }
}
