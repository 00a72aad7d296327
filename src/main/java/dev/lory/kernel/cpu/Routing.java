package dev.lory.kernel.cpu;

import dev.lory.kernel.RowGroups;

/** Which experts each row goes to, and with what weights; in arrays that grow to the largest step so far. */
final class Routing {
    /** Of each row and expert; negative: not chosen. */
    private float[] weights = {};

    /** See {@link dev.lory.kernel.Backend#route}. A row's numbers depend on its own logits only. */
    void route(long logits, int rows, int experts, int topK, RowGroups groups) {
        if (weights.length < rows * experts) {
            weights = new float[rows * experts];
        }
        for (int r = 0; r < rows; r++) {
            choose(logits + 4L * r * experts, r * experts, experts, topK);
        }
        groups.clear();
        for (int expert = 0; expert < experts; expert++) {
            boolean open = false;
            for (int r = 0; r < rows; r++) {
                float weight = weights[r * experts + expert];
                if (weight >= 0) {
                    if (!open) {
                        groups.group(expert);
                        open = true;
                    }
                    groups.add(r, weight);
                }
            }
        }
    }

    /** The softmax over all, divided by its sum over the chosen ones, is the softmax over the chosen ones. */
    private void choose(long logits, int row, int experts, int topK) {
        for (int e = 0; e < experts; e++) {
            weights[row + e] = -1;
        }
        double sum = 0;
        double largest = 0;
        for (int k = 0; k < topK; k++) {
            int best = best(logits, row, experts);
            double logit = Memory.getFloat(logits + 4L * best);
            largest = k == 0 ? logit : largest;
            weights[row + best] = 0;
            sum += StrictMath.exp(logit - largest);
        }
        for (int e = 0; e < experts; e++) {
            if (weights[row + e] == 0) {
                weights[row + e] = (float) (StrictMath.exp(Memory.getFloat(logits + 4L * e) - largest) / sum);
            }
        }
    }

    /** The first of the largest that are not chosen yet. */
    private int best(long logits, int row, int experts) {
        int best = -1;
        for (int e = 0; e < experts; e++) {
            boolean free = weights[row + e] < 0;
            if (free && (best < 0 || Memory.getFloat(logits + 4L * e) > Memory.getFloat(logits + 4L * best))) {
                best = e;
            }
        }
        return best;
    }
}
