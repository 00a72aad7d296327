package dev.lory.registry;

import dev.lory.adapter.AdapterPolicy;
import dev.lory.worker.ResidencyLimits;
import dev.lory.worker.WorkerOptions;
import dev.lory.xlora.XLoraPolicy;
import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** The model and what the worker may take; the flags of {@code serve} by the same names. */
@ConfigMapping(prefix = "lory")
public interface WorkerConfig {
    /** A folder with config.json and safetensors, a folder with one GGUF file, or a GGUF file. */
    Path model();

    /** A tokenizer.json, or a folder that has one; absent = the model's own. */
    Optional<String> tokenizer();

    /** A file with a Jinja template; absent = the model's own. */
    Optional<String> chatTemplate();

    /** What requests call the model; absent = the folder's or file's name. */
    Optional<String> servedModelName();

    /** {@code auto}, {@code reference}, {@code vector} or {@code native}. */
    @WithDefault("auto")
    String kernels();

    /** What weights are kept as: {@code auto}, {@code f32}, {@code bf16}, {@code f16}, {@code q8_0} or {@code q4_0}. */
    @WithDefault("auto")
    String dtype();

    /** Threads that compute; 0 = one for each processor. */
    @WithDefault("0")
    int threads();

    /** Tokens of prompt and output together; 0 = the model's, or what fits {@link #kvCache}. */
    @WithDefault("0")
    int maxModelLen();

    /** Sequences that run at the same time. */
    @WithDefault("64")
    int maxNumSeqs();

    /** Rows of a step at most. */
    @WithDefault("512")
    int maxNumBatchedTokens();

    /** Milliseconds that a step may take for prompts while others are being answered; 0 = any, which is best for throughput. */
    @WithDefault("100")
    int maxStepMs();

    /** Bytes for keys and values; 0 = by the model's context and the free memory. */
    @WithDefault("0")
    long kvCache();

    /** Requests that may wait before more are refused. */
    @WithDefault("1024")
    int maxWaiting();

    /** Adapters on the device at the same time; 0 = any number that fits. */
    @WithDefault("0")
    int maxLoras();

    /** Bytes of all adapters on the device; 0 = half of what weights and KV cache leave. */
    @WithDefault("0")
    long maxLoraBytes();

    /** Of an adapter; 0 = whatever fits. */
    @WithDefault("0")
    int maxLoraRank();

    /** Bytes of an adapter's file. */
    @WithDefault("4294967296")
    long maxAdapterBytes();

    /** Whether modules without tensors and tensors without module are passed over. */
    @WithDefault("false")
    boolean partialAdapters();

    /** Ed25519 public keys in PEM, one of which must have signed an adapter; absent = no signature is asked for. */
    Optional<List<Path>> adapterSigners();

    /** The ordering file of X-LoRAs that bring none; absent = they are refused. */
    Optional<String> xloraOrder();

    /** Whether X-LoRAs are taken whose base_model_id is not their ordering file's. */
    @WithDefault("false")
    boolean anyBaseModelId();

    /** Tokens of X-LoRAs after this generated one use its scalings; 0 = each has its own. */
    @WithDefault("0")
    int tgtNonGranularIndex();

    /** Sequences with such an index at the same time, others wait; 0 = any number. */
    @WithDefault("0")
    int maxNonGranularSeqs();

    /** The same as a plain record, checked. */
    default WorkerOptions options() {
        return new WorkerOptions(
                model(),
                tokenizer().orElse(""),
                chatTemplate().orElse(""),
                servedModelName().orElse(""),
                kernels(),
                dtype(),
                threads(),
                maxModelLen(),
                maxNumSeqs(),
                maxNumBatchedTokens(),
                maxStepMs(),
                kvCache(),
                maxWaiting(),
                new AdapterPolicy(
                        partialAdapters(),
                        maxAdapterBytes(),
                        maxLoraRank(),
                        adapterSigners().orElse(List.of()).stream()
                                .map(AdapterPolicy::signer)
                                .toList()),
                new XLoraPolicy(xloraOrder().orElse(""), anyBaseModelId(), tgtNonGranularIndex(), maxNonGranularSeqs()),
                new ResidencyLimits(maxLoras(), maxLoraBytes()));
    }
}
