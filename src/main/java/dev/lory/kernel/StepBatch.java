package dev.lory.kernel;

import java.util.Arrays;

/**
 * The rows of one step: tokens of any sequences, a sequence's rows side by side and in rising position. Built anew for each step in
 * the same arrays; filled by one thread, then only read.
 */
public final class StepBatch {
    private final int[] tokens;
    private final int[] positions;
    private final int[] slots;
    private final RowGroups adapters = new RowGroups();
    private int rows;
    private int sequences;
    private int[] starts = new int[17];
    private int[][] blockTables = new int[16][];

    /** @param maxRows {@code max_num_batched_tokens} */
    public StepBatch(int maxRows) {
        tokens = new int[maxRows];
        positions = new int[maxRows];
        slots = new int[maxRows];
    }

    public void clear() {
        rows = 0;
        sequences = 0;
        adapters.clear();
    }

    /**
     * Opens the rows of a sequence.
     *
     * @param blockTable the KV block of each {@code blockSize} positions; read until the step is done
     */
    public void sequence(int[] blockTable) {
        if (sequences == blockTables.length) {
            blockTables = Arrays.copyOf(blockTables, 2 * sequences);
            starts = Arrays.copyOf(starts, 2 * sequences + 1);
        }
        starts[sequences] = rows;
        blockTables[sequences++] = blockTable;
        starts[sequences] = rows;
    }

    /** Adds a row to the sequence opened last and returns its index. */
    public int add(int token, int position, int slot) {
        tokens[rows] = token;
        positions[rows] = position;
        slots[rows] = slot;
        starts[sequences] = ++rows;
        return rows - 1;
    }

    public int rows() {
        return rows;
    }

    public int maxRows() {
        return tokens.length;
    }

    public int token(int row) {
        return tokens[row];
    }

    public int position(int row) {
        return positions[row];
    }

    /** Where the row's key and value go: block · blockSize + offset. */
    public int slot(int row) {
        return slots[row];
    }

    public int sequences() {
        return sequences;
    }

    /** First row of sequence {@code s}; {@code start(sequences())} is the number of rows. */
    public int start(int s) {
        return starts[s];
    }

    /** The KV blocks of sequence {@code s}. */
    public int[] blockTable(int s) {
        return blockTables[s];
    }

    public RowGroups adapters() {
        return adapters;
    }
}
