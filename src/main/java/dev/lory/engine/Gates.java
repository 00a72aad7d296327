package dev.lory.engine;

import dev.lory.xlora.XLoraRun;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * What each adapter of an X-LoRA counts at each site, for the tokens of a sequence, and how far that is known. They are kept, so that what
 * is computed once more is computed with the same.
 */
final class Gates {
    private static final float[] NONE = {};

    private final int freeze;
    private float[][] byPosition = {};
    private int from;
    private int to;

    private Gates(int freeze, int to) {
        this.freeze = freeze;
        this.to = to;
    }

    /** Of a sequence whose adapters count the same everywhere. */
    static Gates constant() {
        return new Gates(Integer.MAX_VALUE, Integer.MAX_VALUE);
    }

    /** Tokens after generated one {@code tgt_non_granular_index} take over what it has. */
    static Gates of(XLoraRun run, int promptLength) {
        int index = run.settings().nonGranularIndex();
        return new Gates(index == 0 ? Integer.MAX_VALUE : promptLength + index, 0);
    }

    /** From this position on tokens have nothing of their own. */
    int freeze() {
        return freeze;
    }

    /** The main pass may compute positions before this one. */
    int known() {
        return isSettled() ? Integer.MAX_VALUE : to;
    }

    /** Whether nothing more will have to be found out, however long the sequence gets. */
    boolean isSettled() {
        return to >= freeze;
    }

    /** Whether nothing more has to be found out about a sequence of that length. */
    boolean isComplete(int length) {
        return to >= Math.min(length, freeze);
    }

    /** By adapter and site. */
    float[] at(int position) {
        return position < to ? byPosition[position] : byPosition[to - 1];
    }

    /**
     * What the main pass will need, given how many positions it has already.
     *
     * @return so many positions the scaling pass need not compute, but for their keys and values
     */
    int resume(int computed) {
        if (computed < from || computed > to) {
            from = computed;
            to = computed;
        }
        return to;
    }

    /** All that is known comes from other rotary angles than those that count now. */
    void forget() {
        from = 0;
        to = to == Integer.MAX_VALUE ? to : 0;
    }

    /** Of the first {@code count} tokens; as far as they are known. */
    List<float[]> of(int count) {
        List<float[]> all = new ArrayList<>();
        for (int position = from; position < Math.min(count, known()); position++) {
            all.add(at(position));
        }
        return all;
    }

    /** @return false if they were known before */
    boolean put(int position, float[] gates) {
        if (position != to) {
            return false;
        }
        if (position >= byPosition.length) {
            int size = Math.max(64, 2 * position);
            int old = byPosition.length;
            byPosition = Arrays.copyOf(byPosition, size);
            Arrays.fill(byPosition, old, size, NONE);
        }
        byPosition[position] = gates;
        to++;
        return true;
    }
}
