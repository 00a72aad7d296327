package dev.lory.xlora;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.lory.model.LinearSite;
import dev.lory.model.LinearSite.Shape;
import java.util.List;
import org.junit.jupiter.api.Test;

final class XLoraTallyTest {
    private static final List<LinearSite> SITES = List.of(
            site("model.layers.0.self_attn.q_proj", 0),
            site("model.layers.0.mlp.up_proj", 2),
            site("model.layers.1.self_attn.q_proj", 3));

    private static LinearSite site(String path, int index) {
        return new LinearSite(path, index, new Shape(8, 8), 0, 8);
    }

    /** Of two adapters at the four sites of a model, the second of which none of them changes. */
    private static XLoraTally tally(float[]... tokens) {
        XLoraTally tally = new XLoraTally(List.of("a", "b"), SITES);
        for (float[] gates : tokens) {
            tally.add(gates);
        }
        return tally;
    }

    @Test
    void sumsUpByAdapterAndByLayer() {
        XLoraStatistics statistics = tally(
                        new float[] {0.5f, 9, 0.25f, 1, 0.5f, 9, 0.75f, 0},
                        new float[] {0.5f, 9, 0.25f, 0, 0.5f, 9, 0.75f, 1})
                .statistics();
        assertThat(statistics.tokens()).isEqualTo(2);
        assertThat(statistics.adapters().get(0).mean()).isCloseTo((0.5 + 0.25 + 0.5) / 3, within(1e-9));
        assertThat(statistics.adapters().get(1).shareOfZero()).isCloseTo(1.0 / 6, within(1e-9));
        assertThat(statistics.layers().get(0).layer()).isEqualTo("model.layers.0");
        assertThat(statistics.layers().get(0).mean()).containsExactly(0.375, 0.625);
        assertThat(statistics.layers().get(1).shareOfZero()).containsExactly(0.5, 0.5);
    }

    @Test
    void entropyIsOfTheScalingsOfASite() {
        double even = Math.log(2);
        double uneven = -(0.25 * Math.log(0.25) + 0.75 * Math.log(0.75));
        XLoraStatistics statistics =
                tally(new float[] {0.5f, 9, 0.25f, 1, 0.5f, 9, 0.75f, 0}).statistics();
        assertThat(statistics.layers().get(0).entropy()).isCloseTo((even + uneven) / 2, within(1e-9));
        assertThat(statistics.layers().get(1).entropy()).isZero();
    }

    @Test
    void everyScalingIsInItsRange() {
        XLoraStatistics statistics =
                tally(new float[] {0, 9, 0.1f, 1.5f, 1, 9, 0.11f, -1}).statistics();
        assertThat(statistics.adapters().get(0).histogram())
                .containsExactly(1L, 1L, 0L, 0L, 0L, 0L, 0L, 0L, 0L, 0L, 0L, 1L);
        assertThat(statistics.adapters().get(1).histogram())
                .containsExactly(1L, 0L, 1L, 0L, 0L, 0L, 0L, 0L, 0L, 0L, 1L, 0L);
    }

    @Test
    void nothingYetIsZeroNotNan() {
        XLoraStatistics statistics = tally().statistics();
        assertThat(statistics.tokens()).isZero();
        assertThat(statistics.layers().get(1).entropy()).isZero();
        assertThat(statistics.adapters().get(0).mean()).isZero();
    }
}
