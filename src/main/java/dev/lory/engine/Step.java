package dev.lory.engine;

import dev.lory.adapter.AdapterSet;
import dev.lory.kernel.StepBatch;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** What one step computes: which pass how many tokens, as rows for the decoder. Reused from step to step. */
final class Step {
    private final List<Pass> passes = new ArrayList<>();
    private final StepBatch batch;
    private int[] counts = new int[16];

    Step(int maxRows) {
        batch = new StepBatch(maxRows);
    }

    void clear() {
        passes.clear();
        batch.clear();
    }

    /** Adds the next {@code count} tokens of a pass. */
    void add(Pass pass, int count, int blockSize) {
        if (passes.size() == counts.length) {
            counts = Arrays.copyOf(counts, 2 * counts.length);
        }
        counts[passes.size()] = count;
        passes.add(pass);
        int[] tokens = pass.sequence.tokens();
        int[] table = pass.table();
        batch.sequence(table, pass.rotation());
        for (int i = 0; i < count; i++) {
            int position = pass.computed() + i;
            batch.add(tokens[position], position, table[position / blockSize] * blockSize + position % blockSize);
        }
    }

    /**
     * Groups the rows by adapter; after the last {@link #add}. Slots rise, so the updates of a row are summed in the same order
     * whatever else is in the step.
     */
    void groupAdapters() {
        for (int slot = nextSlot(-1); slot != Integer.MAX_VALUE; slot = nextSlot(slot)) {
            batch.adapters().group(slot);
            for (int i = 0; i < passes.size(); i++) {
                AdapterSet adapters = passes.get(i).adapters;
                for (int m = 0; m < adapters.members().size(); m++) {
                    AdapterSet.Member member = adapters.members().get(m);
                    if (member.slot() == slot) {
                        addRows(i, m, member.weight());
                    }
                }
            }
        }
    }

    private void addRows(int i, int member, float weight) {
        Pass pass = passes.get(i);
        boolean gated = pass.isGated();
        int from = gated ? pass.sequence.xlora().classifier().from(member) : 0;
        for (int row = batch.start(i); row < batch.start(i + 1); row++) {
            if (gated) {
                float[] gates = pass.sequence.gates.at(pass.computed() + row - batch.start(i));
                batch.adapters().add(row, weight, gates, from);
            } else {
                batch.adapters().add(row, weight);
            }
        }
    }

    private int nextSlot(int after) {
        int next = Integer.MAX_VALUE;
        for (int i = 0; i < passes.size(); i++) {
            AdapterSet adapters = passes.get(i).adapters;
            for (int m = 0; m < adapters.members().size(); m++) {
                int slot = adapters.members().get(m).slot();
                if (slot > after && slot < next) {
                    next = slot;
                }
            }
        }
        return next;
    }

    boolean isEmpty() {
        return passes.isEmpty();
    }

    int size() {
        return passes.size();
    }

    Pass pass(int i) {
        return passes.get(i);
    }

    /** Tokens of pass {@code i} in this step. */
    int count(int i) {
        return counts[i];
    }

    StepBatch batch() {
        return batch;
    }
}
