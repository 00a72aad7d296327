package dev.lory.kernel;

/** Which experts a row goes to, in double; {@link Backend#route}. */
final class ReferenceRouter {
    private ReferenceRouter() {}

    static void route(float[][] logits, int topK, RowGroups groups) {
        double[][] weights = new double[logits.length][];
        for (int r = 0; r < weights.length; r++) {
            weights[r] = weights(logits[r], topK);
        }
        groups.clear();
        for (int expert = 0; weights.length > 0 && expert < weights[0].length; expert++) {
            boolean open = false;
            for (int r = 0; r < weights.length; r++) {
                if (weights[r][expert] > 0) {
                    if (!open) {
                        groups.group(expert);
                        open = true;
                    }
                    groups.add(r, (float) weights[r][expert]);
                }
            }
        }
    }

    /** By expert; 0 where the row does not go. */
    private static double[] weights(float[] logits, int topK) {
        boolean[] chosen = new boolean[logits.length];
        for (int k = 0; k < topK; k++) {
            int best = -1;
            for (int e = 0; e < logits.length; e++) {
                if (!chosen[e] && (best < 0 || logits[e] > logits[best])) {
                    best = e;
                }
            }
            chosen[best] = true;
        }
        // The softmax over all, divided by its sum over the chosen ones, is the softmax over the chosen ones.
        double[] scores = new double[logits.length];
        for (int e = 0; e < scores.length; e++) {
            scores[e] = chosen[e] ? logits[e] : Double.NEGATIVE_INFINITY;
        }
        ReferenceAttention.softmax(scores);
        return scores;
    }
}
