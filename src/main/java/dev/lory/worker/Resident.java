package dev.lory.worker;

import dev.lory.adapter.LoraWeights;

/** An adapter's weights in their slot, and how many requests run with them. Guarded by {@link ResidentAdapters}. */
final class Resident {
    final AdapterEntry entry;
    final LoraWeights weights;
    final int slot;
    int leases;
    /** No new request may have it; the slot is free with the last lease. */
    boolean dropped;
    /** New requests wait in line, because somebody there wants its slot. */
    boolean held;

    Resident(AdapterEntry entry, LoraWeights weights, int slot) {
        this.entry = entry;
        this.weights = weights;
        this.slot = slot;
    }
}
