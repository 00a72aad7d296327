package dev.lory.worker;

import dev.lory.engine.Tally;
import dev.lory.worker.WorkerStatus.ResidencyStatus;

/** What requests for adapters met, counted since the start. Guarded by {@link ResidentAdapters}. */
final class AdapterTraffic {
    private final Tally loads = seconds();
    private final Tally waits = seconds();
    private int waiting;
    private long hits;
    private long misses;
    private long evictions;

    private static Tally seconds() {
        return new Tally(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30);
    }

    private static double secondsSince(long nanos) {
        return (System.nanoTime() - nanos) / 1e9;
    }

    void hit() {
        hits++;
    }

    /** A request begins to wait. */
    void miss() {
        misses++;
        waiting++;
    }

    /** It has what it waited for, or gives up. @param began by {@link System#nanoTime} */
    void waited(long began) {
        waiting--;
        waits.add(secondsSince(began));
    }

    /** Files were read. @param began by {@link System#nanoTime} */
    void loaded(long began) {
        loads.add(secondsSince(began));
    }

    void evicted() {
        evictions++;
    }

    ResidencyStatus status(AdapterMemory memory) {
        return new ResidencyStatus(
                memory.limits().maxLoras(),
                memory.limits().maxBytes(),
                memory.count(),
                memory.bytes(),
                waiting,
                hits,
                misses,
                evictions,
                Histogram.of(loads),
                Histogram.of(waits));
    }
}
