package dev.lory.model;

import dev.lory.kernel.Backend;
import dev.lory.tensor.DType;
import dev.lory.tensor.Tensor;

/** A buffer for the activations of a step, with its leading rows as views made once, so that a step allocates nothing. */
final class Activations {
    private final Tensor all;
    private final Tensor[] views;

    Activations(Backend backend, int maxRows, int cols) {
        this(backend.allocate(maxRows, cols));
    }

    private Activations(Tensor all) {
        this.all = all;
        views = new Tensor[all.rows() + 1];
    }

    /** The same memory with each row cut into rows of {@code cols}. */
    Activations cut(int cols) {
        return new Activations(new Tensor(DType.F32, all.rows() * (all.cols() / cols), cols, all.storage()));
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
