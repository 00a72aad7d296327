package dev.lory.cli;

import static dev.lory.error.ErrorCode.INVALID_CONFIGURATION;
import static dev.lory.error.ErrorCode.INVALID_TEMPLATE;

import dev.lory.adapter.AdapterPolicy;
import dev.lory.error.ServiceException;
import dev.lory.worker.LocalWorker;
import dev.lory.worker.ResidencyLimits;
import dev.lory.worker.Worker;
import dev.lory.worker.WorkerOptions;
import dev.lory.xlora.XLoraPolicy;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** The flags that describe a worker; the same for every command that runs a model. */
final class WorkerFlags {
    private static final String DEMO_MODEL = "models/smollm2-135m-instruct";

    @Option(
            names = "--model",
            paramLabel = "PATH",
            description =
                    "A folder with config.json, safetensors and tokenizer, or a .gguf file; default: " + DEMO_MODEL)
    private @Nullable Path model;

    @Option(
            names = "--tokenizer",
            paramLabel = "PATH",
            description = "A tokenizer.json, a folder that has one, or a .gguf file.")
    private @Nullable Path tokenizer;

    @Option(
            names = "--chat-template",
            paramLabel = "FILE",
            description = "A Jinja template instead of the model's own.")
    private @Nullable Path chatTemplate;

    @Option(names = "--served-model-name", paramLabel = "NAME", description = "What requests call the model.")
    private String servedModelName = "";

    @Option(names = "--backend", paramLabel = "auto|cpu", description = "Where to compute; default: ${DEFAULT-VALUE}.")
    private String backend = "auto";

    @Option(
            names = "--kernels",
            paramLabel = "auto|reference|vector|native",
            description = "How the CPU computes; default: ${DEFAULT-VALUE}.")
    private String kernels = "auto";

    @Option(
            names = "--dtype",
            paramLabel = "auto|f32|bf16|f16|q8_0|q4_0",
            description = "What weights are kept as; default: ${DEFAULT-VALUE}, as the model has them.")
    private String dtype = "auto";

    @Option(names = "--threads", paramLabel = "N", description = "Threads that compute; 0 = one for each processor.")
    private int threads;

    @Option(
            names = "--max-model-len",
            paramLabel = "N",
            description = "Tokens of prompt and output; 0 = the model's, or what fits --kv-cache.")
    private int maxModelLen;

    @Option(
            names = "--max-num-seqs",
            paramLabel = "N",
            description = "Sequences at the same time; default: ${DEFAULT-VALUE}.")
    private int maxNumSeqs = 64;

    @Option(
            names = "--max-num-batched-tokens",
            paramLabel = "N",
            description = "Tokens of one step at most; default: ${DEFAULT-VALUE}.")
    private int maxNumBatchedTokens = 512;

    @Option(
            names = "--max-step-ms",
            paramLabel = "N",
            description = "A step may take for prompts while others are being answered; 0 = any, best for throughput;"
                    + " default: 100, of run-batch and bench 0.")
    private @Nullable Integer maxStepMillis;

    @Option(
            names = "--kv-cache",
            paramLabel = "BYTES",
            converter = ByteSize.class,
            description = "For keys and values, such as 512M; 0 = by the model's context and the free memory.")
    private long kvCache;

    @Option(
            names = "--max-loras",
            paramLabel = "N",
            description = "Adapters on the device at the same time, others wait on disk; 0 = any number that fits.")
    private int maxLoras;

    @Option(
            names = "--max-lora-bytes",
            paramLabel = "BYTES",
            converter = ByteSize.class,
            description = "For all adapters on the device, such as 2G; 0 = half of what weights and KV cache leave.")
    private long maxLoraBytes;

    @Option(
            names = "--max-lora-rank",
            paramLabel = "N",
            description = "Of an adapter; default: ${DEFAULT-VALUE}, whatever fits.")
    private int maxLoraRank;

    @Option(
            names = "--max-adapter-bytes",
            paramLabel = "BYTES",
            converter = ByteSize.class,
            description = "Of an adapter's file, such as 512M; default: 4G.")
    private long maxAdapterBytes = AdapterPolicy.DEFAULT.maxBytes();

    @Option(
            names = "--partial-adapters",
            description = "Pass over modules without tensors and tensors without module, as PEFT does; else refused.")
    private boolean partialAdapters;

    @Option(
            names = "--adapter-signers",
            paramLabel = "FILE",
            split = ",",
            description = "Take only adapters that one of these Ed25519 public keys (PEM) has signed.")
    private List<Path> adapterSigners = List.of();

    @Option(names = "--xlora-order", paramLabel = "FILE", description = "The ordering file of X-LoRAs that bring none.")
    private @Nullable Path xloraOrder;

    @Option(
            names = "--any-base-model-id",
            description = "Take X-LoRAs whose base_model_id is not their ordering file's; else refused.")
    private boolean anyBaseModelId;

    @Option(
            names = "--tgt-non-granular-index",
            paramLabel = "K",
            description = "Tokens of X-LoRAs after generated one K use its scalings; 0 = each has its own.")
    private int tgtNonGranularIndex;

    @Option(
            names = "--max-non-granular-seqs",
            paramLabel = "N",
            description = "Such sequences at the same time, others wait; 1 = as mistral.rs, 0 = any number.")
    private int maxNonGranularSeqs;

    /** Loads the model, and tells on standard error if it takes long. The one place where a command gets its worker from. */
    static Worker open(WorkerOptions options) {
        PrintWriter err = new PrintWriter(System.err, false, StandardCharsets.UTF_8);
        try {
            return LocalWorker.open(options, new LoadProgress(err, Settings.onTerminal()));
        } catch (ServiceException e) {
            // The template's parser knows lines, not files.
            if (e.code() == INVALID_TEMPLATE && !options.chatTemplate().isEmpty()) {
                throw new ServiceException(e.code(), options.chatTemplate() + ": " + e.detail(), e.members());
            }
            throw e;
        }
    }

    /** The model as given, or the demo model of the checkout. */
    Path model() {
        return model == null ? demoModel() : absolute(model);
    }

    /** The demo model of the checkout. */
    static Path demoModel() {
        return absolute(Settings.home().resolve(DEMO_MODEL));
    }

    /** Whether no model was named. */
    boolean isDemo() {
        return model == null;
    }

    /** The ordering file of X-LoRAs that bring none, if no flag names another. */
    void orderXLorasBy(Path file) {
        xloraOrder = xloraOrder == null ? file : xloraOrder;
    }

    /** Nobody reads along: what is done in the end counts, unless a flag says otherwise. */
    WorkerFlags forThroughput() {
        maxStepMillis = maxStepMillis == null ? 0 : maxStepMillis;
        return this;
    }

    int maxNumSeqs() {
        return maxNumSeqs;
    }

    /**
     * The options, with everything checked that can be without opening a file.
     *
     * @throws ServiceException {@code INVALID_CONFIGURATION} naming the first flag that cannot be used
     */
    WorkerOptions options() {
        if (!backend.equals("auto") && !backend.equals("cpu")) {
            throw new ServiceException(INVALID_CONFIGURATION, "--backend must be auto or cpu but is '" + backend + "'");
        }
        return new WorkerOptions(
                existing("--model", model()),
                tokenizer == null ? "" : existing("--tokenizer", tokenizer).toString(),
                chatTemplate == null
                        ? ""
                        : existing("--chat-template", chatTemplate).toString(),
                servedModelName,
                kernels,
                dtype,
                threads,
                maxModelLen,
                maxNumSeqs,
                maxNumBatchedTokens,
                maxStepMillis == null ? WorkerOptions.of(model()).maxStepMillis() : maxStepMillis,
                kvCache,
                WorkerOptions.of(model()).maxWaiting(),
                new AdapterPolicy(
                        partialAdapters,
                        maxAdapterBytes,
                        maxLoraRank,
                        adapterSigners.stream().map(AdapterPolicy::signer).toList()),
                new XLoraPolicy(
                        xloraOrder == null
                                ? ""
                                : existing("--xlora-order", xloraOrder).toString(),
                        anyBaseModelId,
                        tgtNonGranularIndex,
                        maxNonGranularSeqs),
                new ResidencyLimits(maxLoras, maxLoraBytes));
    }

    /** The options as {@code lory.*} properties, for the parts of the service that read their own. */
    static Map<String, String> properties(WorkerOptions options) {
        Map<String, String> named = new LinkedHashMap<>();
        named.put("lory.model", options.model().toString());
        named.put("lory.tokenizer", options.tokenizer());
        named.put("lory.chat-template", options.chatTemplate());
        named.put("lory.served-model-name", options.servedModelName());
        named.put("lory.kernels", options.kernels());
        named.put("lory.dtype", options.dtype());
        named.put("lory.threads", Integer.toString(options.threads()));
        named.put("lory.max-model-len", Integer.toString(options.maxModelLen()));
        named.put("lory.max-num-seqs", Integer.toString(options.maxNumSeqs()));
        named.put("lory.max-num-batched-tokens", Integer.toString(options.maxNumBatchedTokens()));
        named.put("lory.max-step-ms", Integer.toString(options.maxStepMillis()));
        named.put("lory.kv-cache", Long.toString(options.kvCacheBytes()));
        named.put(
                "lory.max-adapter-bytes", Long.toString(options.adapterPolicy().maxBytes()));
        named.put("lory.max-waiting", Integer.toString(options.maxWaiting()));
        return named;
    }

    /** A path that must be there, made absolute; refused in one sentence that names the flag. */
    static Path existing(String flag, Path path) {
        Path found = absolute(path);
        if (!Files.exists(found)) {
            throw new ServiceException(INVALID_CONFIGURATION, flag + " " + path + " does not exist");
        }
        return found;
    }

    private static Path absolute(Path path) {
        return path.toAbsolutePath().normalize();
    }
}
