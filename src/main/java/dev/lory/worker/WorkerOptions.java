package dev.lory.worker;

import static dev.lory.error.ErrorCode.INVALID_CONFIGURATION;

import dev.lory.adapter.AdapterPolicy;
import dev.lory.error.ServiceException;
import dev.lory.format.WeightType;
import dev.lory.xlora.XLoraPolicy;
import java.nio.file.Path;

/**
 * What a worker runs and how much it may take. An empty string means: found beside or in the model.
 *
 * @param model a folder with config.json and safetensors, a folder with one GGUF file, or a GGUF file
 * @param tokenizer a tokenizer.json, a folder that has one, or a GGUF file
 * @param chatTemplate a file with a Jinja template
 * @param servedModelName what requests call the model; empty = the folder's or file's name
 * @param kernels {@code auto}, {@code reference}, {@code vector} or {@code native}
 * @param dtype what the weights are kept as: {@code auto} as the file has them, {@code f32}, {@code bf16}, {@code f16},
 *     {@code q8_0} or {@code q4_0}
 * @param threads that compute; 0 = one for each processor
 * @param maxModelLen tokens of prompt and output together; 0 = the model's, or what fits {@code kvCacheBytes}
 * @param maxNumSeqs sequences that run at the same time
 * @param maxNumBatchedTokens rows of a step at most
 * @param maxStepMillis that a step may take for prompts while others are being answered; 0 = any, which is best for throughput
 * @param kvCacheBytes for keys and values; 0 = enough for one sequence of {@code maxModelLen} or 256 MiB, whichever is more,
 *     out of half of the free memory
 * @param maxWaiting requests that may wait before more are refused
 * @param adapterPolicy what is asked of adapters
 * @param xloraPolicy how X-LoRAs are taken
 * @param residency how much of the device adapters may take
 */
public record WorkerOptions(
        Path model,
        String tokenizer,
        String chatTemplate,
        String servedModelName,
        String kernels,
        String dtype,
        int threads,
        int maxModelLen,
        int maxNumSeqs,
        int maxNumBatchedTokens,
        int maxStepMillis,
        long kvCacheBytes,
        int maxWaiting,
        AdapterPolicy adapterPolicy,
        XLoraPolicy xloraPolicy,
        ResidencyLimits residency) {

    public WorkerOptions {
        WeightType.of(dtype);
        atLeast("threads", threads, 0);
        atLeast("max-model-len", maxModelLen, 0);
        atLeast("max-num-seqs", maxNumSeqs, 1);
        atLeast("max-num-batched-tokens", maxNumBatchedTokens, 1);
        atLeast("max-step-ms", maxStepMillis, 0);
        atLeast("kv-cache", kvCacheBytes, 0);
        atLeast("max-waiting", maxWaiting, 0);
    }

    private static void atLeast(String name, long value, long low) {
        if (value < low) {
            throw new ServiceException(
                    INVALID_CONFIGURATION, "--" + name + " must be at least " + low + " but is " + value);
        }
    }

    /** The defaults for a model. */
    public static WorkerOptions of(Path model) {
        return new WorkerOptions(
                model,
                "",
                "",
                "",
                "auto",
                "auto",
                0,
                0,
                64,
                512,
                100,
                0,
                1024,
                AdapterPolicy.DEFAULT,
                XLoraPolicy.DEFAULT,
                ResidencyLimits.DEFAULT);
    }
}
