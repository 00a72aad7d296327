package dev.lory.xlora;

import dev.lory.kernel.Backend;
import dev.lory.tensor.Tensor;
import java.util.HashMap;
import java.util.Map;

/** Matrices for classifiers, one of each width, so that those that come and go share them. Belongs to the engine's thread. */
public final class ClassifierMemory {
    /** Of one classification. */
    static final int MAX_ROWS = 64;

    private final Backend backend;
    private final Map<Integer, Tensor> byWidth = new HashMap<>();
    private final Map<Integer, Tensor> inputs = new HashMap<>();

    /** Nothing is allocated yet. */
    public ClassifierMemory(Backend backend) {
        this.backend = backend;
    }

    Backend backend() {
        return backend;
    }

    /** {@code [rows, width]}, for what a linear gives. */
    Tensor output(int rows, int width) {
        return byWidth.computeIfAbsent(width, cols -> backend.allocate(MAX_ROWS, cols))
                .slice(0, rows);
    }

    /** {@code [rows, width]}, for what a linear reads. */
    Tensor input(int rows, int width) {
        return inputs.computeIfAbsent(width, cols -> backend.allocate(MAX_ROWS, cols))
                .slice(0, rows);
    }
}
