package dev.lory.model;

import dev.lory.kernel.RowGroups;
import dev.lory.tensor.Tensor;
import java.util.List;

/** What adapters add to the outputs of linears that read the same input. */
@FunctionalInterface
public interface LinearDelta {
    /** Adds nothing and costs nothing. */
    LinearDelta NONE = (sites, rows, x, ys) -> {};

    /**
     * {@code ys[i] += delta of sites[i] (x)}.
     *
     * @param x {@code [rows, in]}
     * @param ys {@code [rows, out]} each
     */
    void add(List<LinearSite> sites, RowGroups rows, Tensor x, Tensor[] ys);
}
