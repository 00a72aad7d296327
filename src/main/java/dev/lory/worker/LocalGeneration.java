package dev.lory.worker;

import dev.lory.engine.Sequence;
import dev.lory.engine.TokenSink.Ending;
import dev.lory.sampling.SamplingParams;
import dev.lory.tokenizer.TextStream;
import dev.lory.worker.GenerationEvent.Delta;
import dev.lory.worker.GenerationEvent.Finished;
import dev.lory.worker.GenerationEvent.PromptScored;
import dev.lory.worker.GenerationEvent.Reason;
import dev.lory.worker.GenerationEvent.Token;
import dev.lory.worker.GenerationEvent.Usage;
import dev.lory.worker.GenerationEvent.UsedAdapter;
import dev.lory.xlora.XLoraScalings;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Optional;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** A sequence of the engine in this process, read by one thread: text, stop strings and the end are worked out here. */
final class LocalGeneration implements Generation {
    private final List<Integer> prompt;
    private final SamplingParams params;
    private final boolean traced;
    private final List<UsedAdapter> adapters;
    private final Sequence sequence;
    private final TokenQueue queue;
    private final @Nullable TextStream text;
    private final StopStrings stops;
    private final long began;
    private boolean promptDelivered;
    private boolean finished;
    private int read;
    /** It came to its end; then {@link #read} does not change any more. */
    private volatile boolean ended;

    private @Nullable GenerationEvent next;

    /** @param began when the request came, by {@link System#nanoTime} */
    LocalGeneration(
            int[] prompt,
            GenerationRequest request,
            List<UsedAdapter> adapters,
            Sequence sequence,
            TokenQueue queue,
            ModelText text,
            long began) {
        this.prompt = IntStream.of(prompt).boxed().toList();
        this.began = began;
        this.params = request.sampling();
        this.traced = request.xlora().traced();
        this.adapters = List.copyOf(adapters);
        this.sequence = sequence;
        this.queue = queue;
        this.text = text.stream(this.params.skipSpecialTokens()).orElse(null);
        this.stops = new StopStrings(this.params.stop(), this.params.includeStop());
        this.promptDelivered = this.params.promptLogprobs().isEmpty();
    }

    @Override
    public List<Integer> promptTokenIds() {
        return prompt;
    }

    @Override
    public Usage usage() {
        return queue.startedAt().isEmpty()
                ? new Usage(0, 0, 0)
                : new Usage(prompt.size(), ended ? read : queue.written(), queue.cachedTokens());
    }

    @Override
    public Optional<XLoraScalings> scalings() {
        if (!traced) {
            return Optional.empty();
        }
        queue.awaitEnd(); // after a stop string the engine may be at it still
        return Optional.of(sequence.scalings());
    }

    @Override
    public Duration queued() {
        return Duration.ofNanos(queue.startedAt().orElseGet(System::nanoTime) - began);
    }

    @Override
    public boolean hasNext() {
        if (next == null && !finished) {
            next = advance();
        }
        return next != null;
    }

    @Override
    public GenerationEvent next() {
        if (!hasNext()) {
            throw new NoSuchElementException();
        }
        GenerationEvent event = next;
        next = null;
        if (event == null) {
            throw new NoSuchElementException();
        }
        return event;
    }

    private @Nullable GenerationEvent advance() {
        while (!stops.stopped()) {
            Optional<Ending> ending = queue.ending();
            int written = queue.await(read);
            if (queue.isClosed()) {
                finished = true;
                return null;
            }
            if (!promptDelivered) {
                promptDelivered = true;
                return promptScored();
            }
            if (written > read) {
                return delta(written);
            }
            if (ending.isPresent()) {
                String tail = stops.append(text == null ? "" : text.flush()) + stops.flush();
                return tail.isEmpty()
                        ? end(ending.get() == Ending.STOPPED ? Reason.STOP : Reason.LENGTH)
                        : new Delta(tail, List.of());
            }
        }
        return end(Reason.STOP_STRING);
    }

    private GenerationEvent promptScored() {
        List<Token> tokens = new ArrayList<>();
        tokens.add(new Token(prompt.getFirst(), Float.NaN, List.of()));
        for (Token score : queue.promptScores()) {
            tokens.add(new Token(prompt.get(score.id()), score.logprob(), score.top()));
        }
        return new PromptScored(tokens);
    }

    /** The tokens that are there, as one event; ends at the token that completes a stop string. */
    private GenerationEvent delta(int written) {
        StringBuilder piece = new StringBuilder();
        List<Token> tokens = new ArrayList<>();
        while (read < written && !stops.stopped()) {
            tokens.add(queue.at(read));
            int id = queue.id(read++);
            String decoded = text == null ? "" : text.append(id);
            piece.append(read > params.minTokens() ? stops.append(decoded) : decoded);
        }
        if (stops.stopped()) {
            sequence.cancel();
        }
        return new Delta(piece.toString(), tokens);
    }

    private GenerationEvent end(Reason reason) {
        finished = true;
        ended = true;
        return new Finished(reason, usage(), adapters);
    }

    @Override
    public void close() {
        sequence.cancel();
        queue.close();
    }
}
