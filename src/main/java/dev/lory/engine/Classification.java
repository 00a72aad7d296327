package dev.lory.engine;

import dev.lory.tensor.Tensor;
import dev.lory.xlora.XLoraClassifier;
import dev.lory.xlora.XLoraSettings;

/** What follows the hidden states of scaling passes: what adapters count for their tokens, one classifier after the other. */
final class Classification {
    private final int[] rows = new int[XLoraClassifier.maxRows()];
    private final Sequence[] owners = new Sequence[rows.length];
    private final int[] positions = new int[rows.length];
    private final XLoraSettings[] settings = new XLoraSettings[rows.length];
    private int pending;

    /** Before the step's rows are booked as computed. */
    void classify(Step step, Tensor hidden) {
        for (int i = 0; i < step.size(); i++) {
            if (isFirst(step, i)) {
                XLoraClassifier classifier = step.pass(i).sequence.xlora().classifier();
                for (int j = i; j < step.size(); j++) {
                    if (step.pass(j).isScaling()
                            && step.pass(j).sequence.xlora().classifier() == classifier) {
                        add(step, j, hidden, classifier);
                    }
                }
                flush(hidden, classifier);
            }
        }
    }

    /** Whether no pass before it has the same classifier. */
    private static boolean isFirst(Step step, int i) {
        if (!step.pass(i).isScaling()) {
            return false;
        }
        XLoraClassifier classifier = step.pass(i).sequence.xlora().classifier();
        for (int j = 0; j < i; j++) {
            if (step.pass(j).isScaling() && step.pass(j).sequence.xlora().classifier() == classifier) {
                return false;
            }
        }
        return true;
    }

    private void add(Step step, int i, Tensor hidden, XLoraClassifier classifier) {
        Pass pass = step.pass(i);
        for (int n = 0; n < step.count(i); n++) {
            if (pending == rows.length) {
                flush(hidden, classifier);
            }
            rows[pending] = step.batch().start(i) + n;
            owners[pending] = pass.sequence;
            positions[pending] = pass.computed() + n;
            settings[pending++] = pass.sequence.xlora().settings();
        }
    }

    private void flush(Tensor hidden, XLoraClassifier classifier) {
        if (pending > 0) {
            float[][] gates = classifier.gates(hidden, rows, pending, settings);
            for (int i = 0; i < pending; i++) {
                if (owners[i].gates.put(positions[i], gates[i])) {
                    owners[i].xlora().tally().add(gates[i]);
                }
            }
            pending = 0;
        }
    }
}
