package dev.lory.worker;

import dev.lory.engine.TokenSink;
import dev.lory.error.ServiceException;
import dev.lory.worker.GenerationEvent.Candidate;
import dev.lory.worker.GenerationEvent.Token;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * Tokens on their way from the engine's thread to the one reader. The writer never waits and, without log-probabilities, allocates
 * nothing: ids go into an array of the final size, published by a volatile count.
 */
final class TokenQueue implements TokenSink {
    private final int[] ids;
    private final Token[] scored;
    private final List<Token> prompt = new ArrayList<>();
    private final Runnable ended;
    private int cachedTokens;
    private volatile long startedAt;
    private volatile boolean started;
    private volatile int written;
    private volatile @Nullable Ending ending;
    private volatile @Nullable ServiceException failure;
    private volatile boolean closed;
    private volatile @Nullable Thread reader;

    /**
     * @param capacity tokens of the output at most
     * @param ended runs once, on the engine's thread, when the sequence has ended in any way
     */
    TokenQueue(int capacity, boolean logprobs, Runnable ended) {
        ids = new int[capacity];
        scored = new Token[logprobs ? capacity : 0];
        this.ended = ended;
    }

    @Override
    public void started(int cached) {
        cachedTokens = cached;
        startedAt = System.nanoTime();
        started = true;
    }

    @Override
    public void prompt(int position, float logprob, int[] top, float[] topLogprobs) {
        prompt.add(new Token(position, logprob, candidates(top, topLogprobs)));
    }

    @Override
    public void token(int id) {
        int at = written;
        ids[at] = id;
        written = at + 1;
        LockSupport.unpark(reader);
    }

    @Override
    public void token(int id, float logprob, int[] top, float[] topLogprobs) {
        scored[written] = new Token(id, logprob, candidates(top, topLogprobs));
        token(id);
    }

    private static List<Candidate> candidates(int[] ids, float[] logprobs) {
        List<Candidate> candidates = new ArrayList<>(ids.length);
        for (int i = 0; i < ids.length; i++) {
            candidates.add(new Candidate(ids[i], logprobs[i]));
        }
        return candidates;
    }

    @Override
    public void finished(Ending how) {
        ending = how;
        ended.run();
        LockSupport.unpark(reader);
    }

    @Override
    public void failed(ServiceException why) {
        failure = why;
        ended.run();
        LockSupport.unpark(reader);
    }

    /** Wakes the reader for good. */
    void close() {
        closed = true;
        LockSupport.unpark(reader);
    }

    /**
     * Waits until there are more than {@code read} tokens or nothing more comes.
     *
     * @return tokens written so far
     * @throws ServiceException the failure of the sequence
     */
    int await(int read) {
        reader = Thread.currentThread();
        while (written <= read && ending == null && failure == null && !closed) {
            LockSupport.park(this);
            if (Thread.currentThread().isInterrupted()) {
                closed = true;
            }
        }
        ServiceException why = failure;
        if (why != null) {
            throw why;
        }
        return written;
    }

    /** Waits until the engine has nothing more to do with the sequence. */
    void awaitEnd() {
        reader = Thread.currentThread();
        while (ending == null && failure == null && !Thread.currentThread().isInterrupted()) {
            LockSupport.park(this);
        }
    }

    boolean isClosed() {
        return closed;
    }

    /** How it ended, if it has. Read before {@link #await}'s count is compared, so that no token is missed. */
    Optional<Ending> ending() {
        return Optional.ofNullable(ending);
    }

    /** When the prompt began to be computed, by {@link System#nanoTime}; empty until then. */
    OptionalLong startedAt() {
        return started ? OptionalLong.of(startedAt) : OptionalLong.empty();
    }

    /** Tokens so far. */
    int written() {
        return written;
    }

    int cachedTokens() {
        return cachedTokens;
    }

    int id(int at) {
        return ids[at];
    }

    /** The token with what was asked for. */
    Token at(int at) {
        return scored.length > 0 ? scored[at] : new Token(ids[at], Float.NaN, List.of());
    }

    /** Scores of the prompt, complete once a token is written or the sequence has ended; ids are positions. */
    List<Token> promptScores() {
        return prompt;
    }
}
