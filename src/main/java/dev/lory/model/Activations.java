package dev.lory.model;

import dev.lory.kernel.Backend;
import dev.lory.tensor.Tensor;

/** A buffer for the activations of a step, with its leading rows as views made once, so that a step allocates nothing. */
final class Activations {
    private final Tensor all;
    private final Tensor[] views;

    Activations(Backend backend, int maxRows, int cols) {
        all = backend.allocate(maxRows, cols);
        views = new Tensor[maxRows + 1];
    }

    /** The first {@code count} rows. */
    Tensor rows(int count) {
        Tensor view = views[count];
        if (view == null) {
            view = all.slice(0, count);
            views[count] = view;
        }
        return view;
    }
}
