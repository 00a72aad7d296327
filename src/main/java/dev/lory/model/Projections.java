package dev.lory.model;

import dev.lory.kernel.Backend;
import dev.lory.kernel.RowGroups;
import dev.lory.kernel.Weight;
import dev.lory.tensor.Tensor;
import java.util.List;

/** The only linear layer: one to three weights with one input, and what adapters add to each. */
final class Projections {
    private final Backend backend;
    private final Weight[] weights;
    private final List<LinearSite> sites;

    Projections(Backend backend, List<LinearSite> sites, Weight... weights) {
        this.backend = backend;
        this.weights = weights;
        this.sites = List.copyOf(sites);
    }

    void forward(Tensor x, Tensor[] ys, LinearDelta delta, RowGroups rows) {
        backend.project(weights, x, ys);
        if (!rows.isEmpty()) {
            delta.add(sites, rows, x, ys);
        }
    }
}
