package dev.lory.cli;

import dev.lory.worker.LoadListener;
import java.io.PrintWriter;
import java.util.Locale;

/** Says how far the loading of a model has come, once that has taken a while: redrawn on a terminal, else a line for each tenth. */
final class LoadProgress implements LoadListener {
    private static final double QUIET_SECONDS = 2;
    private static final double REDRAW_SECONDS = 0.2;
    private static final double GIGABYTE = 1e9;

    private final PrintWriter out;
    private final boolean terminal;
    private final Clock clock;
    private final double start;
    private double drawn = Double.NEGATIVE_INFINITY;
    private long tenths;

    /** Seconds, from any moment on. */
    @FunctionalInterface
    interface Clock {
        double seconds();
    }

    /** @param terminal whether a line can be drawn again */
    LoadProgress(PrintWriter out, boolean terminal) {
        this(out, terminal, () -> System.nanoTime() / 1e9);
    }

    LoadProgress(PrintWriter out, boolean terminal, Clock clock) {
        this.out = out;
        this.terminal = terminal;
        this.clock = clock;
        this.start = clock.seconds();
    }

    @Override
    public void loaded(long bytes, long total) {
        double seconds = clock.seconds() - start;
        boolean last = bytes == total;
        boolean due = terminal ? seconds - drawn >= REDRAW_SECONDS : 10 * bytes / total > tenths;
        if (bytes == 0 || seconds < QUIET_SECONDS || !last && !due) {
            return;
        }
        drawn = seconds;
        tenths = 10 * bytes / total;
        String text = last
                ? String.format(Locale.ROOT, "loaded %.1f GB in %.0f s", total / GIGABYTE, seconds)
                : String.format(
                        Locale.ROOT,
                        "loading %.1f of %.1f GB, %.0f s left",
                        bytes / GIGABYTE,
                        total / GIGABYTE,
                        seconds * (total - bytes) / bytes);
        // blanks over what a longer text has left
        out.print(terminal ? String.format("\r%-40s", text) : text);
        if (last || !terminal) {
            out.println();
        }
        out.flush();
    }
}
