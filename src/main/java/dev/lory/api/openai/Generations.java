package dev.lory.api.openai;

import dev.lory.api.metrics.RequestMetrics;
import dev.lory.error.ServiceException;
import dev.lory.worker.Generation;
import dev.lory.worker.GenerationEvent;
import dev.lory.worker.GenerationEvent.Delta;
import dev.lory.worker.GenerationEvent.Finished;
import dev.lory.worker.GenerationRequest;
import dev.lory.worker.Worker;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;

/** The generations of one request, read at the same time; events come in the order in which they happen. */
final class Generations implements AutoCloseable {
    /** An event of a choice, why it failed, or word that all of them were closed. */
    private sealed interface Arrival {
        record Event(int choice, GenerationEvent event) implements Arrival {}

        record Failure(RuntimeException reason) implements Arrival {}

        record Closed() implements Arrival {}
    }

    /** An event and the choice it is of, which has taken it already. */
    record Progress(Choice choice, GenerationEvent event) {}

    private final List<Generation> generations = new ArrayList<>();
    private final List<Choice> choices = new ArrayList<>();
    private final List<Thread> readers = new ArrayList<>();
    /** Small: a reader that does not keep up holds its generations back, not the memory. */
    private final BlockingQueue<Arrival> arrivals = new ArrayBlockingQueue<>(64);

    private final long began = System.nanoTime();
    private long firstDelta;
    private boolean begun;
    private int open;
    private volatile boolean closed;

    /**
     * Starts all generations, or none.
     *
     * @throws ServiceException as {@link Worker#generate}
     */
    Generations(Worker worker, List<GenerationRequest> requests) {
        try {
            for (GenerationRequest request : requests) {
                Generation generation = worker.generate(request);
                choices.add(new Choice(generations.size(), generation));
                generations.add(generation);
            }
        } catch (RuntimeException e) {
            close();
            throw e;
        }
        open = generations.size();
        for (int i = 0; i < generations.size(); i++) {
            int index = i;
            readers.add(Thread.ofVirtual().name("lory-choice-" + index).start(() -> read(index)));
        }
    }

    List<Choice> choices() {
        return choices;
    }

    /** What they took so far; the first choice's time in the queue, and all of it as long as there is no text. */
    RequestMetrics.Times times() {
        Duration whole = since(began, System.nanoTime());
        return new RequestMetrics.Times(
                generations.getFirst().queued(), begun ? since(began, firstDelta) : whole, whole);
    }

    private static Duration since(long began, long now) {
        return Duration.ofNanos(now - began);
    }

    private void read(int index) {
        try {
            Generation generation = generations.get(index);
            while (generation.hasNext()) {
                arrivals.put(new Arrival.Event(index, generation.next()));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (RuntimeException e) {
            tell(e);
        }
    }

    private void tell(RuntimeException failure) {
        try {
            arrivals.put(new Arrival.Failure(failure));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Whether a choice has not ended yet, and nobody has closed them. */
    boolean isOpen() {
        return open > 0 && !closed;
    }

    /**
     * The next event, or empty if there is none for so long, or they were closed.
     *
     * @throws ServiceException the failure of a generation
     */
    Optional<Progress> next(Duration patience) throws InterruptedException {
        Arrival arrival = arrivals.poll(patience.toMillis(), TimeUnit.MILLISECONDS);
        if (arrival == null) {
            return Optional.empty();
        }
        return switch (arrival) {
            case Arrival.Closed() -> Optional.empty();
            case Arrival.Failure(RuntimeException reason) -> throw reason;
            case Arrival.Event(int index, GenerationEvent event) -> {
                Choice choice = choices.get(index);
                choice.take(event);
                if (event instanceof Delta && !begun) {
                    begun = true;
                    firstDelta = System.nanoTime();
                }
                if (event instanceof Finished) {
                    open--;
                }
                yield Optional.of(new Progress(choice, event));
            }
        };
    }

    /** Cancels what has not ended. Any thread may call. */
    @Override
    public void close() {
        closed = true;
        arrivals.offer(new Arrival.Closed()); // whoever waits is not to wait longer; where it is full nobody waits
        generations.forEach(Generation::close);
        readers.forEach(Thread::interrupt);
    }
}
