package dev.lory.adapter;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.lory.adapter.MergeStrategy.MajoritySign;
import java.util.Arrays;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** By hand, after the definitions of the papers as PEFT reads them. */
class MergeStrategyTest {
    private static final float[] HALVES = {0.5f, 0.5f};

    @Test
    void tiesKeepsTheLargestAndAveragesThoseOfTheMajoritysSign() {
        float[][] factors = {{4, -1, 3, 0.5f}, {-2, -5, 1, 0.25f}};
        // two of four stay in each: {4, 0, 3, 0} and {-2, -5, 0, 0}; their sums are 2, -5, 3, 0
        float[] merged = merge(MergeStrategy.TIES, factors, new float[] {1, 2}, 0.5, MajoritySign.TOTAL);
        assertArrayEquals(new float[] {4, -10, 3, 0}, merged);
    }

    @Test
    void tiesAveragesWhereAdaptersAgree() {
        float[][] factors = {{2, -2}, {4, -4}};
        assertArrayEquals(new float[] {1.5f, -1.5f}, merge(MergeStrategy.TIES, factors, HALVES, 1, MajoritySign.TOTAL));
    }

    @Test
    void frequencyCountsAdaptersAndTotalTheirValues() {
        float[][] factors = {{-9}, {1}, {2}};
        float[] ones = {1, 1, 1};
        assertArrayEquals(
                new float[] {1.5f}, merge(MergeStrategy.TIES, copy(factors), ones, 1, MajoritySign.FREQUENCY));
        assertArrayEquals(new float[] {-9}, merge(MergeStrategy.TIES, factors, ones, 1, MajoritySign.TOTAL));
    }

    @Test
    void ofEqualValuesAsManyStayAsTheDensitySays() {
        float[] merged =
                merge(MergeStrategy.TIES, new float[][] {{1, -1, 1, -1}}, new float[] {1}, 0.75, MajoritySign.TOTAL);
        assertArrayEquals(new float[] {1, -1, 1, 0}, merged);
    }

    @Test
    void dareKeepsTheShareAndTheMean() {
        float[] ones = new float[100_000];
        Arrays.fill(ones, 1);
        float[] merged =
                merge(MergeStrategy.DARE_LINEAR, new float[][] {ones}, new float[] {3}, 0.25, MajoritySign.TOTAL);
        int kept = 0;
        for (float value : merged) {
            kept += value == 0 ? 0 : 1;
            assertEquals(value == 0 ? 0 : 3 / 0.25f, Math.abs(value), "what stays is scaled by 1 / density");
        }
        assertEquals(0.25, kept / 100_000.0, 0.01);
    }

    @Test
    void withoutDroppingDareIsASumOrAnAverage() {
        float[][] factors = {{1, -3}, {2, 5}};
        assertArrayEquals(
                new float[] {1.5f, 1}, merge(MergeStrategy.DARE_LINEAR, copy(factors), HALVES, 1, MajoritySign.TOTAL));
        assertArrayEquals(
                new float[] {0.75f, 2.5f}, merge(MergeStrategy.DARE_TIES, factors, HALVES, 1, MajoritySign.TOTAL));
    }

    private static float[] merge(
            MergeStrategy strategy, float[][] factors, float[] weights, double density, MajoritySign sign) {
        return strategy.merge(factors, weights, density, sign, new SplittableRandom(7));
    }

    private static float[][] copy(float[][] factors) {
        return Arrays.stream(factors).map(float[]::clone).toArray(float[][]::new);
    }
}
