package dev.lory.adapter;

import dev.lory.kernel.Backend;
import dev.lory.kernel.LoraFactors;
import dev.lory.kernel.RowGroups;
import dev.lory.kernel.StepBatch;
import dev.lory.model.LinearDelta;
import dev.lory.model.LinearSite;
import dev.lory.tensor.Tensor;
import java.util.List;

/** The delta of the adapters that each row runs with, one backend call for all adapters and all linears of an input. */
public final class LoraDelta implements LinearDelta {
    private final Backend backend;
    private final AdapterSlots slots;
    /** Scratch by number of sites, so that a step allocates nothing. */
    private final LoraFactors[][][] scratch = new LoraFactors[4][][];

    private final int[][] numbers = new int[4][];

    public LoraDelta(Backend backend, AdapterSlots slots) {
        this.backend = backend;
        this.slots = slots;
        for (int i = 0; i < scratch.length; i++) {
            scratch[i] = new LoraFactors[i][];
            numbers[i] = new int[i];
        }
    }

    @Override
    public void add(List<LinearSite> sites, RowGroups rows, Tensor x, Tensor[] ys) {
        LoraFactors[][] factors = scratch[sites.size()];
        int[] number = numbers[sites.size()];
        for (int i = 0; i < factors.length; i++) {
            number[i] = sites.get(i).index();
            factors[i] = slots.at(number[i]);
        }
        backend.lora(factors, number, rows, x, ys);
    }

    @Override
    public void embed(LinearSite site, StepBatch batch, Tensor y) {
        backend.embedLora(slots.at(site.index()), site.index(), batch, y);
    }
}
