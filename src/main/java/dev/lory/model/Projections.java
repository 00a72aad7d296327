package dev.lory.model;

import dev.lory.kernel.Backend;
import dev.lory.kernel.RowGroups;
import dev.lory.kernel.Weight;
import dev.lory.tensor.Tensor;
import java.util.List;

/** The only linear layer: one to three outputs of one input, what adapters add to each, and their biases. */
final class Projections {
    private final Backend backend;
    private final Weight[] weights;
    private final Tensor[] biases;
    private final List<LinearSite> sites;

    /** @param biases {@code [1, out]} for each output, or none at all */
    Projections(Backend backend, List<LinearSite> sites, Weight[] weights, Tensor[] biases) {
        this.backend = backend;
        this.weights = weights;
        this.biases = biases;
        this.sites = List.copyOf(sites);
    }

    /** @param adapters of the rows of {@code x} */
    void forward(Tensor x, Tensor[] ys, LinearDelta delta, RowGroups adapters) {
        backend.project(weights, x, ys);
        if (!adapters.isEmpty()) {
            delta.add(sites, adapters, x, ys);
        }
        for (int i = 0; i < biases.length; i++) {
            backend.addRow(biases[i], ys[i]);
        }
    }
}
