package dev.lory.kernel;

import java.util.Arrays;

/**
 * Which rows of a step run with which adapters: groups of (slot; rows with weights). A row may be in several groups, a base row is in
 * none. Built anew for each step in the same arrays; filled by one thread, then only read.
 */
public final class AdapterRows {
    private int groups;
    private int[] slots = new int[8];
    private int[] starts = new int[9];
    private int[] rows = new int[64];
    private float[] weights = new float[64];

    public void clear() {
        groups = 0;
        starts[0] = 0;
    }

    /** Opens the group of a slot; a slot has one group per step. */
    public void group(int slot) {
        if (groups == slots.length) {
            slots = Arrays.copyOf(slots, 2 * groups);
            starts = Arrays.copyOf(starts, 2 * groups + 1);
        }
        slots[groups++] = slot;
        starts[groups] = starts[groups - 1];
    }

    /** Adds a row to the group opened last. */
    public void add(int row, float weight) {
        int at = starts[groups];
        if (at == rows.length) {
            rows = Arrays.copyOf(rows, 2 * at);
            weights = Arrays.copyOf(weights, 2 * at);
        }
        rows[at] = row;
        weights[at] = weight;
        starts[groups] = at + 1;
    }

    public boolean isEmpty() {
        return groups == 0;
    }

    public int groups() {
        return groups;
    }

    /** The slot of group {@code g}. */
    public int slot(int g) {
        return slots[g];
    }

    /** The first entry of group {@code g}; {@code start(groups())} is the number of entries. */
    public int start(int g) {
        return starts[g];
    }

    /** The row of an entry; rising within a group. */
    public int row(int entry) {
        return rows[entry];
    }

    /** What the adapter's update of that row is multiplied with. */
    public float weight(int entry) {
        return weights[entry];
    }
}
