package dev.lory.worker;

import dev.lory.engine.Tally;
import java.util.List;

/**
 * How many figures since the start lay in which range.
 *
 * @param bounds upper ends of the ranges, rising, each in its range
 * @param counts one for each range and one for what is beyond the last
 * @param sum of all figures
 */
public record Histogram(List<Double> bounds, List<Long> counts, double sum) {
    /** No figure yet, in one range. */
    public static final Histogram NONE = new Histogram(List.of(), List.of(0L), 0);

    public Histogram {
        bounds = List.copyOf(bounds);
        counts = List.copyOf(counts);
        if (counts.size() != bounds.size() + 1) {
            throw new IllegalArgumentException(counts.size() + " counts for " + bounds.size() + " bounds");
        }
    }

    static Histogram of(Tally tally) {
        return new Histogram(tally.bounds(), tally.counts(), tally.sum());
    }

    /** Figures. */
    public long count() {
        return counts.stream().mapToLong(Long::longValue).sum();
    }
}
