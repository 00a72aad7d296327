package dev.lory.model;

import dev.lory.kernel.RowGroups;
import dev.lory.kernel.StepBatch;
import dev.lory.tensor.Tensor;
import java.util.List;

/** What adapters add to the outputs of linears that read the same input, and to embeddings. */
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

    /**
     * {@code y += delta of the embedding (tokens of the batch)}.
     *
     * @param y {@code [rows, hidden]}, not scaled yet
     */
    default void embed(LinearSite site, StepBatch batch, Tensor y) {}
}
