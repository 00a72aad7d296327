package dev.lory.kernel;

import java.util.Arrays;

/**
 * Weighted rows of a step in groups: the rows that run with an adapter, by its slot, or those routed to an expert, by its number. A row may
 * be in several groups or in none. Built anew in the same arrays; filled by one thread, then only read.
 */
public final class RowGroups {
    private int groups;
    private int[] keys = new int[8];
    private int[] starts = new int[9];
    private int[] rows = new int[64];
    private float[] weights = new float[64];

    public void clear() {
        groups = 0;
        starts[0] = 0;
    }

    /** Opens the group of a slot or expert, which has one group at most. */
    public void group(int key) {
        if (groups == keys.length) {
            keys = Arrays.copyOf(keys, 2 * groups);
            starts = Arrays.copyOf(starts, 2 * groups + 1);
        }
        keys[groups++] = key;
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

    /** The slot or expert of group {@code g}. */
    public int key(int g) {
        return keys[g];
    }

    /** The first entry of group {@code g}; {@code start(groups())} is the number of entries. */
    public int start(int g) {
        return starts[g];
    }

    /** The row of an entry; rising within a group. */
    public int row(int entry) {
        return rows[entry];
    }

    /** What the adapter's update, or the expert's output, of that row is multiplied with. */
    public float weight(int entry) {
        return weights[entry];
    }
}
