package dev.lory.worker;

import static dev.lory.error.ServiceException.invalid;

import dev.lory.adapter.AdapterPolicy;
import dev.lory.adapter.AdapterReport;
import dev.lory.adapter.AdapterSlots;
import dev.lory.adapter.AdapterWeights;
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
import dev.lory.kernel.Peak;
import dev.lory.kernel.Weight;
import dev.lory.model.Decoder;
import dev.lory.model.DecoderLoader;
import dev.lory.model.DecoderSpec;
import dev.lory.model.LinearSite;
import dev.lory.model.arch.Architectures;
import dev.lory.sampling.SamplingParams;
import dev.lory.worker.WorkerStatus.EngineStatus;
import dev.lory.worker.WorkerStatus.ModelInfo;
import dev.lory.xlora.ClassifierMemory;
import dev.lory.xlora.XLoraPackage;
import dev.lory.xlora.XLoraPolicy;
import dev.lory.xlora.XLoraRun;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ThreadLocalRandom;

/** The worker in this process: model, engine and adapters. */
public final class LocalWorker implements Worker {
    private static final Logger LOG = System.getLogger(LocalWorker.class.getName());
    private static final int MAX_LOGIT_ROWS = 64;
    private static final long MIN_LORA_BYTES = 64L << 20;

    private final Backend backend;
    private final ModelText text;
    private final ModelInfo model;
    private final EngineOptions engineOptions;
    private final Engine engine;
    private final Decoder decoder;
    private final AdapterPolicy policy;
    private final XLoraPolicy xloraPolicy;
    private final NonGranularTurns turns;
    private final ClassifierMemory classifiers;
    private final ResidentAdapters adapters;
    private final Object loading = new Object();
    private boolean warm;

    private LocalWorker(
            WorkerOptions options, ModelSource source, Backend backend, Future<ModelText> text, LoadListener listener) {
        this.backend = backend;
        DecoderSpec spec = Architectures.spec(source.config());
        TensorSource weights = ConvertedSource.of(source.tensors(), WeightType.of(options.dtype()));
        KvPlan plan = plan(options, spec, weights, backend);
        Decoder decoder = decoder(options, source, spec.upTo(plan.maxModelLen()), backend, (bytes, total) -> {
            if (text.state() == Future.State.FAILED) {
                outcome(text); // no need to load a model that has no use
            }
            listener.loaded(bytes, total);
        });
        this.text = outcome(text);
        model = new ModelInfo(
                options.servedModelName().isEmpty() ? source.name() : options.servedModelName(),
                source.config().architecture(),
                options.model().toString(),
                ModelDigest.of(source.tensors()),
                plan.maxModelLen(),
                spec.vocab(),
                spec.linearPaths());
        AdapterSlots slots = new AdapterSlots(spec.embeddingSite().index() + 1);
        engineOptions = new EngineOptions(
                Math.min(options.maxNumSeqs(), options.maxNumBatchedTokens()),
                options.maxWaiting(),
                options.maxNumBatchedTokens(),
                options.maxStepMillis(),
                plan.blocks(),
                KvPlan.BLOCK_SIZE);
        engine = new Engine(decoder, new LoraDelta(backend, slots), engineOptions);
        this.decoder = decoder;
        policy = options.adapterPolicy();
        xloraPolicy = options.xloraPolicy();
        turns = new NonGranularTurns(xloraPolicy.maxNonGranular());
        classifiers = new ClassifierMemory(backend);
        adapters = new ResidentAdapters(
                new ResidentAdapters.Device(
                        this::load,
                        action -> engine.call(() -> action.apply(slots)),
                        action -> engine.post(() -> action.accept(slots))),
                options.residency().orBytes(Math.max(MIN_LORA_BYTES, plan.leftBytes() / 2)),
                ResidentAdapters.Patience.usual(options.maxWaiting()));
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
        try (ExecutorService aside = Executors.newSingleThreadExecutor()) {
            Future<Backend> backend = aside.submit(() -> Backends.open(options));
            try (ModelSource source = ModelSource.open(options.model())) {
                Future<ModelText> text = aside.submit(() -> ModelText.of(options, source));
                LocalWorker worker = new LocalWorker(options, source, outcome(backend), text, listener);
                WarmUp.run(worker, List.of());
                return worker;
            } catch (RuntimeException e) {
                outcome(backend).close();
                throw e;
            }
        }
    }

    /** What was computed aside, when it is there; throws what that threw. */
    private static <T> T outcome(Future<T> aside) {
        try {
            return aside.get();
        } catch (ExecutionException e) {
            if (e.getCause() instanceof RuntimeException thrown) {
                throw thrown;
            }
            throw new IllegalStateException(e.getCause());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ServiceException(ErrorCode.UNAVAILABLE, "loading was interrupted", e);
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

    private static KvPlan plan(WorkerOptions options, DecoderSpec spec, TensorSource weights, Backend backend) {
        long weightBytes = weights.names().stream()
                .map(weights::info)
                .mapToLong(info -> backend.weightBytes(info.dtype(), info.rows(), info.cols()))
                .sum();
        long blockBytes = backend.kvBlockBytes(
                spec.layers(), KvPlan.BLOCK_SIZE, spec.attention().kvWidth());
        KvPlan.Given given = new KvPlan.Given(spec.maxPositions(), blockBytes, backend.freeBytes(), weightBytes);
        KvPlan plan = KvPlan.of(given, options.maxModelLen(), options.kvCacheBytes());
        if (options.maxModelLen() == 0 && plan.maxModelLen() < spec.maxPositions()) {
            LOG.log(
                    Level.WARNING,
                    "sequences of up to " + plan.maxModelLen() + " tokens are served, not the model's "
                            + spec.maxPositions() + ", whose keys and values need "
                            + given.needed(spec.maxPositions()) + " bytes; --kv-cache raises it");
        }
        return plan;
    }

    @Override
    public WorkerStatus status() {
        EngineStats stats = engine.stats();
        return new WorkerStatus(
                backend.description(),
                model,
                adapters.appliedRevision(),
                adapters.status(),
                adapters.residency(),
                new EngineStatus(
                        stats.running(),
                        stats.waiting(),
                        (double) stats.usedBlocks() / engineOptions.kvBlocks(),
                        engineOptions.kvBlocks(),
                        KvPlan.BLOCK_SIZE,
                        stats.promptTokens(),
                        stats.cachedTokens(),
                        stats.generatedTokens(),
                        stats.preemptions(),
                        stats.steps(),
                        Histogram.of(stats.stepAdapters())));
    }

    @Override
    public List<XLoraStatus> xloras() {
        return adapters.xloras();
    }

    @Override
    public Roofline roofline() {
        Peak peak = engine.call(backend::peak);
        double bytes = 0;
        double weights = 0;
        for (LinearSite site : decoder.spec().linearSites()) {
            Weight weight = decoder.weight(site);
            double use = decoder.spec().use(site);
            bytes += use * weight.bytes();
            weights += use * weight.rows() * weight.cols();
        }
        return new Roofline(peak.bytesPerSecond(), peak.productsPerSecond(), Math.round(bytes), Math.round(weights));
    }

    @Override
    public synchronized WorkerStatus apply(DesiredState desired) {
        List<String> loaded = adapters.apply(desired.orElse(xloraPolicy.overrides()));
        if (!loaded.isEmpty() && !warm) {
            warm = true;
            WarmUp.run(this, loaded);
        }
        return status();
    }

    @Override
    public AdapterReport check(String source) {
        Path folder = Path.of(source);
        synchronized (loading) {
            return XLoraPackage.isIn(folder)
                    ? new XLoraPackage(folder, policy, xloraPolicy).check(decoder, classifiers)
                    : new PeftFolder(folder, policy).check(decoder, backend);
        }
    }

    /** One at a time, so that no more than one adapter is on the device beyond those with a slot. */
    private AdapterWeights load(String source) {
        Path folder = Path.of(source);
        synchronized (loading) {
            return XLoraPackage.isIn(folder)
                    ? new XLoraPackage(folder, policy, xloraPolicy).load(decoder, classifiers)
                    : new PeftFolder(folder, policy).load(decoder, backend);
        }
    }

    @Override
    public Vocabulary vocabulary() {
        return text;
    }

    @Override
    public Generation generate(GenerationRequest request) {
        long began = System.nanoTime();
        SamplingParams params = request.sampling();
        int[] prompt = text.encode(request.prompt());
        int output = outputTokens(prompt.length, params);
        checkIds(request);
        Lease lease = adapters.lease(request.adapters());
        TokenQueue queue = new TokenQueue(output, params.logprobs().isPresent(), () -> adapters.release(lease));
        try {
            Sequence sequence = sequence(request, prompt, output, lease, queue);
            engine.submit(sequence);
            return new LocalGeneration(prompt, request, lease.used(), sequence, queue, text, began);
        } catch (ServiceException e) {
            adapters.release(lease);
            throw e;
        }
    }

    private Sequence sequence(GenerationRequest request, int[] prompt, int output, Lease lease, TokenQueue queue) {
        SamplingParams params = request.sampling();
        int length = prompt.length + output;
        int[] ends = text.endTokens(params);
        long seed = ThreadLocalRandom.current().nextLong();
        int vocab = model.vocabSize();
        Optional<XLoraRun> run = lease.xlora(request.xlora());
        if (run.isEmpty() && !request.xlora().equals(XLoraOptions.NONE)) {
            throw invalid("xlora", "xlora and adapter_scalings are for requests that select an X-LoRA");
        }
        run.ifPresent(xlora -> lease.hold(turns.take(xlora.settings())));
        return run.map(xlora -> new Sequence(prompt, length, xlora, params, ends, seed, vocab, queue))
                .orElseGet(() -> new Sequence(prompt, length, lease.set(), params, ends, seed, vocab, queue));
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
