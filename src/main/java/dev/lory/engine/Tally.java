package dev.lory.engine;

import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;

/** How many figures lay in which range. Written by one thread at a time, read by any; adding a figure allocates nothing. */
public final class Tally {
    private final double[] bounds;
    private final AtomicLongArray counts;
    private volatile double sum;

    /** @param bounds upper ends of the ranges, rising, each in its range; what is beyond the last has one more range */
    public Tally(double... bounds) {
        this.bounds = bounds.clone();
        this.counts = new AtomicLongArray(bounds.length + 1);
    }

    public void add(double figure) {
        int at = Arrays.binarySearch(bounds, figure);
        counts.incrementAndGet(at < 0 ? -at - 1 : at);
        sum = sum + figure;
    }

    public List<Double> bounds() {
        return DoubleStream.of(bounds).boxed().toList();
    }

    /** For each range, the last one without bound. */
    public List<Long> counts() {
        return IntStream.range(0, counts.length()).mapToObj(counts::get).toList();
    }

    /** Of all figures. */
    public double sum() {
        return sum;
    }
}
