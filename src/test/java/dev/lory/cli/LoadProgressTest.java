package dev.lory.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import org.junit.jupiter.api.Test;

final class LoadProgressTest {
    private static final long TOTAL = 8_000_000_000L;

    private final StringWriter text = new StringWriter();
    private double now;

    private LoadProgress progress(boolean terminal) {
        return new LoadProgress(new PrintWriter(text), terminal, () -> now);
    }

    @Test
    void aShortLoadIsSilent() {
        LoadProgress progress = progress(false);
        for (int tenth = 0; tenth <= 10; tenth++) {
            progress.loaded(TOTAL / 10 * tenth, TOTAL);
            now += 0.19;
        }
        assertThat(text.toString()).isEmpty();
    }

    @Test
    void aLongLoadTellsBytesAndTheTimeThatIsLeft() {
        LoadProgress progress = progress(false);
        for (int hundredth = 0; hundredth <= 100; hundredth++) {
            progress.loaded(TOTAL / 100 * hundredth, TOTAL);
            now += 0.25;
        }
        assertThat(text.toString().lines())
                .hasSize(10)
                .startsWith("loading 0.8 of 8.0 GB, 23 s left", "loading 1.6 of 8.0 GB, 20 s left")
                .endsWith("loaded 8.0 GB in 25 s");
    }

    @Test
    void onATerminalItIsOneLineThatIsDrawnAgain() {
        LoadProgress progress = progress(true);
        for (int hundredth = 0; hundredth <= 100; hundredth++) {
            progress.loaded(TOTAL / 100 * hundredth, TOTAL);
            now += 0.125;
        }
        assertThat(text.toString())
                .startsWith("\rloading 1.3 of 8.0 GB, 11 s left        \rloading 1.4 of 8.0 GB")
                .endsWith("\rloaded 8.0 GB in 13 s                   " + System.lineSeparator())
                .containsOnlyOnce(System.lineSeparator());
    }
}
