package dev.lory.kernel;

import java.util.Arrays;

/**
 * Weighted rows of a step in groups: the rows that run with an adapter, by its slot, or those routed to an expert, by its number. A row may
 * be in several groups or in none. With X-LoRA the weight of a row is another at each site. Built anew in the same arrays; filled by one
 * thread, then only read.
 */
public final class RowGroups {
    private static final float[] UNGATED = {};

    private int groups;
    private int[] keys = new int[8];
    private int[] starts = new int[9];
    private int[] rows = new int[64];
    private float[] weights = new float[64];
    private float[][] gates = new float[64][];
    private int[] gatesFrom = new int[64];

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
        add(row, weight, UNGATED, 0);
    }

    /** As {@link #add(int, float)}, with a weight that is multiplied with {@code gates[from + site]} at each site. */
    public void add(int row, float weight, float[] siteGates, int from) {
        int at = starts[groups];
        if (at == rows.length) {
            rows = Arrays.copyOf(rows, 2 * at);
            weights = Arrays.copyOf(weights, 2 * at);
            gates = Arrays.copyOf(gates, 2 * at);
            gatesFrom = Arrays.copyOf(gatesFrom, 2 * at);
        }
        rows[at] = row;
        weights[at] = weight;
        gates[at] = siteGates;
        gatesFrom[at] = from;
        starts[groups] = at + 1;
    }

    /** Adds a row with the weights that an entry of other groups has. */
    public void addAs(int row, RowGroups of, int entry) {
        add(row, of.weights[entry], of.gates[entry], of.gatesFrom[entry]);
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

    /** What the expert's output of that row is multiplied with. */
    public float weight(int entry) {
        return weights[entry];
    }

    /** What the adapter's update of that row is multiplied with at a site of the model. */
    public float weight(int entry, int site) {
        float[] own = gates[entry];
        return own.length == 0 ? weights[entry] : weights[entry] * own[gatesFrom[entry] + site];
    }
}
