package dev.lory.worker;

import static dev.lory.error.ServiceException.invalid;

import dev.lory.adapter.AdapterPolicy;
import dev.lory.adapter.AdapterReport;
import dev.lory.adapter.AdapterSlots;
import dev.lory.adapter.LoraDelta;
import dev.lory.adapter.PeftFolder;
import dev.lory.engine.Engine;
import dev.lory.engine.EngineOptions;
import dev.lory.engine.EngineStats;
import dev.lory.engine.Sequence;
import dev.lory.error.ErrorCode;
import dev.lory.error.ServiceException;
import dev.lory.format.ConvertedSource;
import dev.lory.format.ModelSource;
import dev.lory.format.ObservedSource;
import dev.lory.format.TensorSource;
import dev.lory.format.WeightType;
import dev.lory.kernel.Backend;
import dev.lory.model.Decoder;
import dev.lory.model.DecoderLoader;
import dev.lory.model.DecoderSpec;
import dev.lory.model.arch.Architectures;
import dev.lory.sampling.SamplingParams;
import dev.lory.worker.WorkerStatus.EngineStatus;
import dev.lory.worker.WorkerStatus.ModelInfo;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ThreadLocalRandom;
import java.util.stream.IntStream;

/** The worker in this process: model, engine and adapters. */
public final class LocalWorker implements Worker {
    private static final int KV_BLOCK_SIZE = 16;
    private static final int MAX_LOGIT_ROWS = 64;
    private static final long MIN_KV_BYTES = 256L << 20;

    private final Backend backend;
    private final ModelText text;
    private final ModelInfo model;
    private final EngineOptions engineOptions;
    private final Engine engine;
    private final Decoder decoder;
    private final AdapterPolicy policy;
    private final ResidentAdapters adapters;

    private LocalWorker(WorkerOptions options, ModelSource source, Backend backend, LoadListener listener) {
        this.backend = backend;
        this.text = ModelText.of(options, source);
        DecoderSpec spec = Architectures.spec(source.config());
        int maxModelLen = maxModelLen(options, spec);
        Decoder decoder = decoder(options, source, spec, backend, listener);
        model = new ModelInfo(
                options.servedModelName().isEmpty() ? source.name() : options.servedModelName(),
                source.config().architecture(),
                options.model().toString(),
                ModelDigest.of(source.tensors()),
                maxModelLen,
                spec.vocab(),
                spec.linearPaths());
        AdapterSlots slots = new AdapterSlots(spec.embeddingSite().index() + 1);
        engineOptions = new EngineOptions(
                Math.min(options.maxNumSeqs(), options.maxNumBatchedTokens()),
                options.maxWaiting(),
                options.maxNumBatchedTokens(),
                kvBlocks(options, spec, maxModelLen),
                KV_BLOCK_SIZE);
        engine = new Engine(decoder, new LoraDelta(backend, slots), engineOptions);
        this.decoder = decoder;
        policy = options.adapterPolicy();
        adapters = new ResidentAdapters(
                folder -> folder(folder).load(decoder, backend),
                action -> engine.call(() -> action.apply(slots)),
                action -> engine.post(() -> action.accept(slots)));
    }

    /**
     * Loads the model and warms it up.
     *
     * @throws ServiceException {@code INVALID_MODEL}, {@code INVALID_TEMPLATE}, {@code INVALID_CONFIGURATION},
     *     {@code UNSUPPORTED_DTYPE}, {@code UNAVAILABLE}
     */
    public static LocalWorker open(WorkerOptions options) {
        return open(options, (bytes, total) -> {});
    }

    /** As {@link #open(WorkerOptions)}, telling how far it has come. */
    public static LocalWorker open(WorkerOptions options, LoadListener listener) {
        try (ModelSource source = ModelSource.open(options.model())) {
            Backend backend = Backends.open(options);
            try {
                LocalWorker worker = new LocalWorker(options, source, backend, listener);
                WarmUp.run(worker, List.of());
                return worker;
            } catch (RuntimeException e) {
                backend.close();
                throw e;
            }
        }
    }

    private static Decoder decoder(
            WorkerOptions options, ModelSource source, DecoderSpec spec, Backend backend, LoadListener listener) {
        long total = ObservedSource.bytes(source.tensors());
        TensorSource observed = new ObservedSource(source.tensors(), bytes -> listener.loaded(bytes, total));
        TensorSource wanted = ConvertedSource.of(observed, WeightType.of(options.dtype()));
        Decoder decoder = DecoderLoader.load(spec, wanted, backend, options.maxNumBatchedTokens(), MAX_LOGIT_ROWS);
        listener.loaded(total, total);
        return decoder;
    }

    private static int maxModelLen(WorkerOptions options, DecoderSpec spec) {
        if (options.maxModelLen() > spec.maxPositions()) {
            throw new ServiceException(
                    ErrorCode.INVALID_CONFIGURATION,
                    "--max-model-len is " + options.maxModelLen() + " but the model was trained for "
                            + spec.maxPositions() + " positions");
        }
        return options.maxModelLen() == 0 ? spec.maxPositions() : options.maxModelLen();
    }

    private static int kvBlocks(WorkerOptions options, DecoderSpec spec, int maxModelLen) {
        // F32 at most; a backend with a smaller type takes less.
        long blockBytes = 8L * KV_BLOCK_SIZE * spec.layers() * spec.attention().kvWidth();
        long needed = Math.ceilDiv(maxModelLen, KV_BLOCK_SIZE) * blockBytes;
        if (options.kvCacheBytes() == 0) {
            return Math.toIntExact(Math.ceilDiv(Math.max(needed, MIN_KV_BYTES), blockBytes));
        }
        if (options.kvCacheBytes() < needed) {
            throw new ServiceException(
                    ErrorCode.INVALID_CONFIGURATION,
                    "--kv-cache is " + options.kvCacheBytes() + " bytes but one sequence of " + maxModelLen
                            + " tokens needs " + needed + "; lower --max-model-len or raise it");
        }
        return Math.toIntExact(options.kvCacheBytes() / blockBytes);
    }

    @Override
    public WorkerStatus status() {
        EngineStats stats = engine.stats();
        return new WorkerStatus(
                backend.description(),
                model,
                adapters.appliedRevision(),
                adapters.status(),
                new EngineStatus(
                        stats.running(),
                        stats.waiting(),
                        (double) stats.usedBlocks() / engineOptions.kvBlocks(),
                        engineOptions.kvBlocks(),
                        KV_BLOCK_SIZE,
                        stats.promptTokens(),
                        stats.cachedTokens(),
                        stats.generatedTokens(),
                        stats.preemptions(),
                        stats.steps()));
    }

    @Override
    public synchronized WorkerStatus apply(DesiredState desired) {
        List<String> loaded = adapters.apply(desired);
        if (!loaded.isEmpty()) {
            WarmUp.run(this, loaded);
        }
        return status();
    }

    /** Not while others are loaded: both put weights on the device. */
    @Override
    public synchronized AdapterReport check(String source) {
        return folder(source).check(decoder, backend);
    }

    private PeftFolder folder(String source) {
        return new PeftFolder(Path.of(source), policy);
    }

    @Override
    public Vocabulary vocabulary() {
        return text;
    }

    @Override
    public Generation generate(GenerationRequest request) {
        SamplingParams params = request.sampling();
        int[] prompt = text.encode(request.prompt());
        int output = outputTokens(prompt.length, params);
        checkIds(request);
        ResidentAdapters.Lease lease = adapters.lease(request.adapters());
        TokenQueue queue = new TokenQueue(output, params.logprobs().isPresent(), () -> adapters.release(lease));
        Sequence sequence = new Sequence(
                prompt,
                prompt.length + output,
                lease.set(),
                params,
                text.endTokens(params),
                ThreadLocalRandom.current().nextLong(),
                model.vocabSize(),
                queue);
        try {
            engine.submit(sequence);
        } catch (ServiceException e) {
            adapters.release(lease);
            throw e;
        }
        return new LocalGeneration(IntStream.of(prompt).boxed().toList(), params, lease.used(), sequence, queue, text);
    }

    private int outputTokens(int promptLength, SamplingParams params) {
        if (promptLength == 0) {
            throw invalid("prompt", "the prompt is empty");
        }
        int room = model.maxModelLen() - promptLength;
        int wanted = params.maxTokens().orElse(Math.max(room, 1));
        if (wanted > room) {
            throw new ServiceException(
                    ErrorCode.CONTEXT_LENGTH_EXCEEDED,
                    "the prompt has " + promptLength + " tokens and " + wanted
                            + " may be generated, more than the model's context of " + model.maxModelLen(),
                    Map.of("param", "messages"));
        }
        return wanted;
    }

    private void checkIds(GenerationRequest request) {
        SamplingParams params = request.sampling();
        params.logitBias().keySet().forEach(id -> checkId("logit_bias", id));
        params.stopTokenIds().forEach(id -> checkId("stop_token_ids", id));
        if (request.prompt() instanceof Prompt.Tokens(List<Integer> ids)) {
            ids.forEach(id -> checkId("prompt", id));
        }
    }

    private void checkId(String field, int id) {
        if (id < 0 || id >= model.vocabSize()) {
            throw invalid(field, field + " names token " + id + ", but ids go from 0 to " + (model.vocabSize() - 1));
        }
    }

    @Override
    public void close() {
        engine.close();
        backend.close();
    }
}
