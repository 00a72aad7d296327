package dev.lory.engine;

import dev.lory.error.ErrorCode;
import dev.lory.error.ServiceException;
import dev.lory.kernel.KvCache;
import dev.lory.model.Decoder;
import dev.lory.model.LinearDelta;
import dev.lory.tensor.Tensor;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;

/**
 * The thread that owns all mutable state: sequences, KV blocks, adapter slots. Work comes in by a queue, tokens go out through each
 * sequence's sink; nothing is locked. Every public method is for any thread.
 */
public final class Engine implements AutoCloseable {
    private static final Logger LOG = System.getLogger(Engine.class.getName());

    private final Decoder decoder;
    private final KvCache kv;
    private final LinearDelta delta;
    private final EngineOptions options;
    private final BlockPool pool;
    private final Scheduler scheduler;
    private final Classification classification = new Classification();
    private final Readout readout;
    private final EngineStats stats = new EngineStats();
    private final Queue<Runnable> inbox = new ConcurrentLinkedQueue<>();
    private final Places places;
    private final Thread thread;
    private volatile boolean closing;

    /** Starts the thread. */
    public Engine(Decoder decoder, LinearDelta delta, EngineOptions options) {
        this.decoder = decoder;
        this.delta = delta;
        this.options = options;
        kv = decoder.allocateKv(options.kvBlocks(), options.kvBlockSize());
        pool = new BlockPool(options.kvBlocks(), options.kvBlockSize());
        places = new Places(options.maxWaiting());
        scheduler = new Scheduler(
                pool,
                options.maxNumSeqs(),
                options.maxNumBatchedTokens(),
                places,
                decoder::rotation,
                new StepCost(options.maxStepMillis()));
        readout = new Readout(decoder, delta, scheduler, stats);
        thread = Thread.ofPlatform().name("lory-engine").daemon().start(this::run);
    }

    /**
     * Queues a sequence.
     *
     * @throws ServiceException {@code OVERLOADED}, {@code UNAVAILABLE} after {@link #close}
     */
    public void submit(Sequence sequence) {
        // X-LoRA's tokens are there twice, the last block of each time may be a new one
        int cached = sequence.passes() * Math.ceilDiv(sequence.maxLength, options.kvBlockSize());
        if (cached > options.kvBlocks()) {
            throw new ServiceException(
                    ErrorCode.CONTEXT_LENGTH_EXCEEDED,
                    "a sequence of " + sequence.maxLength + " tokens does not fit the KV cache of "
                            + options.kvBlocks() * options.kvBlockSize()
                            + (sequence.passes() > 1 ? ", where an X-LoRA needs room for each token twice" : ""));
        }
        if (!places.take(sequence.adapters.key())) {
            throw new ServiceException(
                    ErrorCode.OVERLOADED,
                    "too many of the " + options.maxWaiting() + " places to wait are taken; try again later");
        }
        post(() -> {
            scheduler.add(sequence);
            stats.promptTokens = stats.promptTokens + sequence.promptLength;
        });
    }

    /** Runs {@code action} on the engine's thread between two steps and returns its result. */
    public <T> T call(Supplier<T> action) {
        CompletableFuture<T> result = new CompletableFuture<>();
        post(() -> {
            try {
                result.complete(action.get());
            } catch (RuntimeException e) {
                result.completeExceptionally(e);
            }
        });
        return result.join();
    }

    /** Runs {@code message} on the engine's thread between two steps, without waiting. */
    public void post(Runnable message) {
        inbox.add(message);
        // Once the thread has gone nobody takes the message; if it is not there any more, it was taken in time.
        if (closing && inbox.remove(message)) {
            throw stopped();
        }
        LockSupport.unpark(thread);
    }

    public EngineStats stats() {
        return stats;
    }

    private void run() {
        while (!closing) {
            drain();
            Step step = scheduler.schedule();
            if (step.isEmpty()) {
                publishStats();
                if (inbox.isEmpty() && !closing) {
                    LockSupport.park(this);
                }
            } else {
                compute(step);
                publishStats();
            }
        }
        drain();
        for (Sequence sequence : scheduler.sequences()) {
            fail(sequence, stopped());
        }
    }

    private void drain() {
        for (Runnable message = inbox.poll(); message != null; message = inbox.poll()) {
            message.run();
        }
    }

    private void compute(Step step) {
        long began = System.nanoTime();
        try {
            Tensor hidden = decoder.hidden(step.batch(), kv, delta);
            classification.classify(step, hidden);
            readout.deliver(step, hidden, pool);
            scheduler.took(System.nanoTime() - began);
            stats.steps = stats.steps + 1;
            stats.stepAdapters.add(step.batch().adapters().groups());
            assert scheduler.isConsistent() : "blocks after step " + stats.steps;
        } catch (RuntimeException | Error e) {
            LOG.log(Level.ERROR, "step failed rows=" + step.batch().rows(), e);
            ServiceException failure =
                    new ServiceException(ErrorCode.INTERNAL, "the computation of this request failed", e);
            for (int i = 0; i < step.size(); i++) {
                fail(step.pass(i).sequence, failure);
            }
        }
    }

    private void fail(Sequence sequence, ServiceException failure) {
        if (sequence.state != Sequence.State.FINISHED) {
            scheduler.finish(sequence);
            sequence.sink.failed(failure);
        }
    }

    private void publishStats() {
        stats.running = scheduler.running();
        stats.waiting = scheduler.waiting();
        stats.usedBlocks = pool.blocks() - pool.free();
        stats.preemptions = scheduler.preemptions();
        stats.cachedTokens = scheduler.cachedTokens();
    }

    private static ServiceException stopped() {
        return new ServiceException(ErrorCode.UNAVAILABLE, "the engine is stopping");
    }

    /** Ends all sequences with an error and stops the thread. */
    @Override
    public void close() {
        closing = true;
        LockSupport.unpark(thread);
        boolean interrupted = false;
        while (thread.isAlive()) {
            try {
                thread.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
