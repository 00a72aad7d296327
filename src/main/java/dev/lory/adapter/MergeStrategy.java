package dev.lory.adapter;

import java.util.Arrays;
import java.util.SplittableRandom;

/**
 * How the factors of several adapters become those of one; names are LoRAX's and PEFT's, numbers those of PEFT's
 * {@code add_weighted_adapter}. But for {@link #LINEAR}, A and B are merged each for itself, each with the root of its adapter's weight and
 * scale, because their product is what counts.
 */
public enum MergeStrategy {
    /** The sum of the updates, exactly: ranks lie side by side and add up. PEFT calls this {@code cat}. */
    LINEAR,
    /** The largest values of each adapter stay; of those the ones with the majority's sign are averaged (arXiv:2306.01708). */
    TIES,
    /** Values are dropped at random, what stays is scaled up to make up for it, and added (arXiv:2311.03099). */
    DARE_LINEAR,
    /** As {@link #DARE_LINEAR}, averaged as {@link #TIES} does. */
    DARE_TIES;

    /** Whose sign is the majority's. */
    public enum MajoritySign {
        /** That of the sum. */
        TOTAL,
        /** That of more adapters. */
        FREQUENCY
    }

    /** Whether values are dropped, so that a density is needed. */
    public boolean drops() {
        return this != LINEAR;
    }

    /**
     * One factor of all adapters.
     *
     * @param factors the same factor of each adapter, of one size; their values are changed
     * @param weights of each adapter
     * @param density the share of values that stays, more than 0 and at most 1
     * @param random for what is dropped at random
     */
    float[] merge(float[][] factors, float[] weights, double density, MajoritySign sign, SplittableRandom random) {
        for (float[] factor : factors) {
            if (density >= 1) {
                continue;
            }
            if (this == TIES) {
                keepLargest(factor, (int) (density * factor.length));
            } else {
                dropRandomly(factor, density, random);
            }
        }
        return this == DARE_LINEAR ? sum(factors, weights) : averageOfMajority(factors, weights, sign);
    }

    private static void keepLargest(float[] values, int count) {
        float[] sizes = new float[values.length];
        for (int i = 0; i < values.length; i++) {
            sizes[i] = Math.abs(values[i]);
        }
        Arrays.sort(sizes);
        float least = count == 0 ? Float.POSITIVE_INFINITY : sizes[values.length - count];
        int larger = 0;
        for (int i = values.length - count; i < values.length; i++) {
            larger += sizes[i] > least ? 1 : 0;
        }
        int equal = count - larger; // of several of the same size the first stay
        for (int i = 0; i < values.length; i++) {
            float size = Math.abs(values[i]);
            boolean stays = size > least || size == least && equal-- > 0;
            values[i] = stays ? values[i] : 0;
        }
    }

    private static void dropRandomly(float[] values, double density, SplittableRandom random) {
        for (int i = 0; i < values.length; i++) {
            values[i] = random.nextDouble() < density ? values[i] / (float) density : 0;
        }
    }

    private static float[] sum(float[][] factors, float[] weights) {
        float[] sum = new float[factors[0].length];
        for (int f = 0; f < factors.length; f++) {
            for (int i = 0; i < sum.length; i++) {
                sum[i] += weights[f] * factors[f][i];
            }
        }
        return sum;
    }

    private static float[] averageOfMajority(float[][] factors, float[] weights, MajoritySign sign) {
        float[] average = new float[factors[0].length];
        for (int i = 0; i < average.length; i++) {
            float vote = 0;
            for (float[] factor : factors) {
                vote += sign == MajoritySign.TOTAL ? factor[i] : Math.signum(factor[i]);
            }
            float majority = vote >= 0 ? 1 : -1;
            int agree = 0;
            for (int f = 0; f < factors.length; f++) {
                if (Math.signum(factors[f][i]) == majority) {
                    average[i] += weights[f] * factors[f][i];
                    agree++;
                }
            }
            average[i] /= Math.max(1, agree);
        }
        return average;
    }
}
