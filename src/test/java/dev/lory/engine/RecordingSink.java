package dev.lory.engine;

import dev.lory.error.ServiceException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;

/** Keeps what a sequence says; {@link #tokens} waits for its end. */
final class RecordingSink implements TokenSink {
    private final List<Integer> tokens = new ArrayList<>();
    final List<Float> logprobs = new ArrayList<>();
    /** Log-probabilities before the first token, of the ids that were asked for. */
    final Map<Integer, Float> first = new HashMap<>();

    /** As {@link #first}, before the last token. */
    final Map<Integer, Float> last = new HashMap<>();

    final List<Float> promptLogprobs = new ArrayList<>();
    private final CompletableFuture<Ending> end = new CompletableFuture<>();
    volatile int cached = -1;

    @Override
    public void started(int cachedTokens) {
        cached = cachedTokens;
    }

    @Override
    public void prompt(int position, float logprob, int[] top, float[] topLogprobs) {
        if (position != promptLogprobs.size() + 1) {
            throw new IllegalStateException("scored " + position + " after " + promptLogprobs.size());
        }
        promptLogprobs.add(logprob);
    }

    @Override
    public void token(int id) {
        tokens.add(id);
    }

    @Override
    public void token(int id, float logprob, int[] top, float[] topLogprobs) {
        for (int i = 0; i < top.length; i++) {
            last.put(top[i], topLogprobs[i]);
            if (logprobs.isEmpty()) {
                first.put(top[i], topLogprobs[i]);
            }
        }
        logprobs.add(logprob);
        token(id);
    }

    @Override
    public void finished(Ending ending) {
        end.complete(ending);
    }

    @Override
    public void failed(ServiceException failure) {
        end.completeExceptionally(failure);
    }

    Ending ending() {
        return end.join();
    }

    /** All tokens, the end token included. */
    List<Integer> tokens() {
        ending();
        return tokens;
    }
}
