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
    private final int[] angles;
    private final RowGroups adapters = new RowGroups();
    private int rows;
    private int sequences;
    private int[] starts = new int[17];
    private int[][] blockTables = new int[16][];
    private int[] rotations = new int[16];

    /** @param maxRows {@code max_num_batched_tokens} */
    public StepBatch(int maxRows) {
        tokens = new int[maxRows];
        positions = new int[maxRows];
        slots = new int[maxRows];
        angles = new int[maxRows];
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
     * @param rotation which rotary angles its length asks for; 0 = those of every length where the model has no others
     */
    public void sequence(int[] blockTable, int rotation) {
        if (sequences == blockTables.length) {
            blockTables = Arrays.copyOf(blockTables, 2 * sequences);
            rotations = Arrays.copyOf(rotations, 2 * sequences);
            starts = Arrays.copyOf(starts, 2 * sequences + 1);
        }
        starts[sequences] = rows;
        rotations[sequences] = rotation;
        blockTables[sequences++] = blockTable;
        starts[sequences] = rows;
    }

    /** Adds a row to the sequence opened last and returns its index. */
    public int add(int token, int position, int slot) {
        tokens[rows] = token;
        positions[rows] = position;
        slots[rows] = slot;
        angles[rows] = position;
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

    /** The row's line in the rotary tables: its position unless {@link #rotateBy} said otherwise. */
    public int angle(int row) {
        return angles[row];
    }

    /** Rotates a row by another line of the rotary tables than its position's. */
    public void rotateBy(int row, int angle) {
        angles[row] = angle;
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

    /** The rotary angles of sequence {@code s}, as {@link #sequence} was told. */
    public int rotation(int s) {
        return rotations[s];
    }

    public RowGroups adapters() {
        return adapters;
    }
}
