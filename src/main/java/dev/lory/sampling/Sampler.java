package dev.lory.sampling;

import java.util.Arrays;

/**
 * Chooses a token from a row of logits, in the order of vLLM's sampler: bias, penalties, temperature, min-p, top-k, top-p, draw.
 * Temperature 0 takes the largest logit, the lowest id among equals. Holds scratch for one vocabulary: one thread.
 */
public final class Sampler {
    private final double[] probabilities;
    private final long[] ranked;

    public Sampler(int vocabSize) {
        probabilities = new double[vocabSize];
        ranked = new long[vocabSize];
    }

    /**
     * Draws the token at {@code position} of the sequence.
     *
     * @param logits {@code [vocab]}, changed in place
     * @param generated tokens of the output so far
     */
    public int sample(float[] logits, SamplerState state, long position, int generated) {
        adjust(logits, state, generated);
        if (state.params.isGreedy()) {
            return argmax(logits);
        }
        filter(logits, state.params);
        return draw(Philox.uniform(state.seed, position), logits);
    }

    /** The probability of each token after all parameters; for tests and for whoever draws differently. */
    public double[] distribution(float[] logits, SamplerState state, int generated) {
        adjust(logits, state, generated);
        if (state.params.isGreedy()) {
            Arrays.fill(probabilities, 0);
            probabilities[argmax(logits)] = 1;
        } else {
            filter(logits, state.params);
        }
        double[] result = probabilities.clone();
        double sum = Arrays.stream(result).sum();
        Arrays.setAll(result, i -> result[i] / sum);
        return result;
    }

    /** log Σ exp(logit): what to subtract from a logit for its log-probability. */
    public static double logSumExp(float[] logits) {
        double max = logits[argmax(logits)];
        double sum = 0;
        for (float logit : logits) {
            sum += Math.exp(logit - max);
        }
        return max + Math.log(sum);
    }

    /** The ids of the {@code count} largest logits, best first; the lower id first among equals. */
    public int[] top(float[] logits, int count) {
        for (int i = 0; i < logits.length; i++) {
            int bits = Float.floatToRawIntBits(logits[i]);
            // Flips negatives so that integers sort as the floats do.
            int ordered = bits ^ (bits >> 31 & Integer.MAX_VALUE);
            ranked[i] = (long) ordered << 32 | Integer.MAX_VALUE - i;
        }
        int n = Math.min(count, logits.length);
        int from = largestLast(logits.length, n);
        int[] ids = new int[n];
        for (int i = 0; i < n; i++) {
            ids[i] = id(ranked[from + n - 1 - i]);
        }
        return ids;
    }

    private static void adjust(float[] logits, SamplerState state, int generated) {
        for (int i = 0; i < state.biasIds.length; i++) {
            logits[state.biasIds[i]] += state.biases[i];
        }
        state.penalise(logits);
        if (generated < state.params.minTokens()) {
            for (int token : state.endTokens) {
                logits[token] = Float.NEGATIVE_INFINITY;
            }
        }
    }

    private static int argmax(float[] logits) {
        int best = 0;
        float max = logits[0];
        for (int i = 1; i < logits.length; i++) {
            if (logits[i] > max) {
                max = logits[i];
                best = i;
            }
        }
        return best;
    }

    /** Leaves the kept probabilities, not normalised, in {@link #probabilities}; the others are 0. */
    private void filter(float[] logits, SamplingParams params) {
        double max = logits[argmax(logits)];
        double temperature = params.temperature();
        double sum = 0;
        for (int i = 0; i < logits.length; i++) {
            double p = Math.exp((logits[i] - max) / temperature);
            if (p < params.minP()) { // the likeliest has p = 1
                p = 0;
            }
            probabilities[i] = p;
            sum += p;
        }
        boolean topK = params.topK() > 0 && params.topK() < logits.length;
        if (topK || params.topP() < 1) {
            keepLikeliest(params, sum, topK ? params.topK() : logits.length);
        }
    }

    private void keepLikeliest(SamplingParams params, double sum, int topK) {
        // All tokens below this bound together have less than 1 - top_p, so none of them is needed to reach top_p.
        double bound = topK < probabilities.length ? 0 : (1 - params.topP()) / probabilities.length * sum;
        int count = 0;
        for (int i = 0; i < probabilities.length; i++) {
            double p = probabilities[i];
            if (p > bound) {
                ranked[count++] = (long) Float.floatToRawIntBits((float) p) << 32 | Integer.MAX_VALUE - i;
            }
        }
        int kept = Math.min(topK, count);
        int from = largestLast(count, kept);
        double total = sum;
        if (kept < count) {
            total = 0;
            for (int i = from; i < count; i++) {
                total += probabilities[id(ranked[i])];
            }
        }
        double reached = 0;
        int last = count;
        while (last > from && (last == count || reached < params.topP() * total)) {
            reached += probabilities[id(ranked[--last])];
        }
        double[] values = probabilities;
        // Marks the kept by a sign, clears the rest, then drops the mark.
        for (int i = last; i < count; i++) {
            values[id(ranked[i])] = -values[id(ranked[i])];
        }
        for (int i = 0; i < values.length; i++) {
            values[i] = values[i] < 0 ? -values[i] : 0;
        }
    }

    private static int id(long key) {
        return Integer.MAX_VALUE - (int) key;
    }

    /** Sorts the {@code kept} largest of {@code ranked[0 .. count-1]} to its end and returns where they start. */
    private int largestLast(int count, int kept) {
        int from = count - kept;
        if (kept < count) {
            select(0, count - 1, from);
        }
        Arrays.sort(ranked, from, count);
        return from;
    }

    /** Hoare's quickselect: afterwards no key before {@code nth} is larger than one from {@code nth} on. */
    private void select(int low, int high, int nth) {
        int l = low;
        int h = high;
        while (l < h) {
            long pivot = ranked[(l + h) >>> 1];
            int i = l;
            int j = h;
            while (i <= j) {
                while (ranked[i] < pivot) {
                    i++;
                }
                while (ranked[j] > pivot) {
                    j--;
                }
                if (i <= j) {
                    long swap = ranked[i];
                    ranked[i++] = ranked[j];
                    ranked[j--] = swap;
                }
            }
            if (nth <= j) {
                h = j;
            } else if (nth >= i) {
                l = i;
            } else {
                return;
            }
        }
    }

    private int draw(double uniform, float[] logits) {
        double sum = 0;
        for (double p : probabilities) {
            sum += p;
        }
        double target = uniform * sum;
        double reached = 0;
        int last = 0;
        for (int i = 0; i < probabilities.length; i++) {
            double p = probabilities[i];
            if (p > 0) {
                reached += p;
                last = i;
                if (reached > target) {
                    return i;
                }
            }
        }
        // Only rounding gets here: the sum in the same order is at least the target.
        return logits.length == 0 ? 0 : last;
    }
}
