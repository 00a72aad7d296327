package dev.lory.adapter;

import dev.lory.kernel.LoraFactors;
import java.util.Arrays;
import java.util.BitSet;

/** The factors of the resident adapters, by site and slot. Belongs to the engine's thread. */
public final class AdapterSlots {
    private final BitSet used = new BitSet();
    private LoraFactors[][] bySite;

    /** @param sites of the model: its linears and its embedding */
    public AdapterSlots(int sites) {
        bySite = new LoraFactors[sites][4];
        for (LoraFactors[] slots : bySite) {
            Arrays.fill(slots, LoraFactors.NONE);
        }
    }

    /** Makes an adapter's weights available and returns its slot. */
    public int put(LoraWeights weights) {
        int slot = used.nextClearBit(0);
        used.set(slot);
        for (int site = 0; site < bySite.length; site++) {
            if (slot >= bySite[site].length) {
                bySite[site] = Arrays.copyOf(bySite[site], 2 * slot);
                Arrays.fill(bySite[site], slot, 2 * slot, LoraFactors.NONE);
            }
            bySite[site][slot] = weights.factors().getOrDefault(site, LoraFactors.NONE);
        }
        return slot;
    }

    /** Frees a slot; no step that uses it may follow. */
    public void remove(int slot) {
        used.clear(slot);
        for (LoraFactors[] slots : bySite) {
            slots[slot] = LoraFactors.NONE;
        }
    }

    /** By slot. Valid until the next {@link #put}. */
    LoraFactors[] at(int site) {
        return bySite[site];
    }
}
