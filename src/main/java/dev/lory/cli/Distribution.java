package dev.lory.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * How the rows of a benchmark batch are spread over adapters: the four workloads of Punica (arXiv:2310.18547, section 7) and two that show
 * what adapters cost the rows without one.
 */
enum Distribution {
    /** Each row has its own adapter. */
    DISTINCT,
    /** The square root of the batch size many adapters, rounded up, with equal shares. */
    UNIFORM,
    /** Groups of 1, 1, 2, 3, 5, … rows: each half as many again, as Zipf-1.5 traffic. */
    SKEWED,
    /** All rows have the same adapter. */
    IDENTICAL,
    /** Every other row has no adapter, the others share one. */
    MIXED,
    /** Adapters are loaded and no row uses one. */
    IDLE;

    /** A row without adapter. */
    static final int BASE = -1;

    /** As on the command line and in results. */
    String label() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** The number of the adapter for each row of a batch, from 0 on, or {@link #BASE}. */
    List<Integer> rows(int batch) {
        List<Integer> rows = new ArrayList<>(batch);
        int group = 0;
        int left = skewedGroup(group);
        int adapters = (int) Math.ceil(Math.sqrt(batch));
        for (int row = 0; row < batch; row++) {
            if (left == 0) {
                left = skewedGroup(++group);
            }
            left--;
            rows.add(
                    switch (this) {
                        case DISTINCT -> row;
                        case UNIFORM -> row % adapters;
                        case SKEWED -> group;
                        case IDENTICAL -> 0;
                        case MIXED -> row % 2 == 0 ? 0 : BASE;
                        case IDLE -> BASE;
                    });
        }
        return rows;
    }

    private static int skewedGroup(int index) {
        return (int) Math.floor(Math.pow(1.5, index));
    }
}
