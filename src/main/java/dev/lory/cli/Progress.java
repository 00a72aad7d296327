package dev.lory.cli;

import java.io.PrintWriter;
import java.time.Duration;

/** How far a run of many parts has come: a bar where it is drawn on a terminal, otherwise one line for each tenth. One thread. */
final class Progress {
    private static final int WIDTH = 40;
    private static final int TENTHS = 10;

    private final PrintWriter out;
    private final boolean terminal;
    private final int total;
    private final long start = System.nanoTime();
    private int done;
    private int failed;

    /** @param total parts in all; 0 = not known, then each hundred is told */
    Progress(PrintWriter out, boolean terminal, int total) {
        this.out = out;
        this.terminal = terminal;
        this.total = total;
    }

    void advance(boolean success) {
        int before = step();
        done++;
        failed += success ? 0 : 1;
        if (terminal) {
            out.print("\r" + bar() + state());
            out.flush();
        } else if (step() > before) {
            out.println(state());
            out.flush();
        }
    }

    /** Ends the bar and says what came of it. */
    void finish() {
        out.println(
                (terminal ? "\r" + bar() : "") + state() + " in " + elapsed().toSeconds() + " s");
        out.flush();
    }

    private int step() {
        return total == 0 ? done / 100 : done * TENTHS / total;
    }

    private String bar() {
        int filled = total == 0 ? 0 : WIDTH * done / total;
        return "[" + "#".repeat(filled) + " ".repeat(WIDTH - filled) + "] ";
    }

    private String state() {
        String of = total == 0 ? "" : "/" + total + " (" + 100L * done / total + " %)";
        return done + of + (failed == 0 ? "" : ", " + failed + " with errors");
    }

    private Duration elapsed() {
        return Duration.ofNanos(System.nanoTime() - start);
    }
}
