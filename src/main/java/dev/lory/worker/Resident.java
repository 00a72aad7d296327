package dev.lory.worker;

import dev.lory.adapter.AdapterWeights;
import java.util.List;

/** An adapter's weights in their slots, and how many requests run with them. Guarded by {@link ResidentAdapters}. */
final class Resident {
    final AdapterEntry entry;
    final AdapterWeights weights;
    /** One for each of its parts. */
    final List<Integer> slots;

    int leases;
    /** No new request may have it; the slot is free with the last lease. */
    boolean dropped;
    /** New requests wait in line, because somebody there wants its slot. */
    boolean held;

    Resident(AdapterEntry entry, AdapterWeights weights, List<Integer> slots) {
        this.entry = entry;
        this.weights = weights;
        this.slots = List.copyOf(slots);
    }
}
