package dev.lory.worker;

import java.util.List;

/** Looks for stop strings in text that comes in pieces, holding back what may be the beginning of one. */
final class StopStrings {
    private final List<String> stops;
    private final boolean include;
    private final StringBuilder held = new StringBuilder();
    private boolean stopped;

    /** @param include whether the stop string itself is passed on */
    StopStrings(List<String> stops, boolean include) {
        this.stops = stops;
        this.include = include;
    }

    /** Whether a stop string has been met; nothing comes after it. */
    boolean stopped() {
        return stopped;
    }

    /** Takes the next piece and returns what is sure to belong to the text. */
    String append(String piece) {
        if (stops.isEmpty()) {
            return piece;
        }
        held.append(piece);
        int end = -1;
        for (String stop : stops) {
            int at = held.indexOf(stop);
            int to = include ? at + stop.length() : at;
            if (at >= 0 && (end < 0 || to < end)) {
                end = to;
            }
        }
        if (end >= 0) {
            stopped = true;
            return take(end);
        }
        return take(held.length() - longestBeginning());
    }

    /** What was held back, when nothing more comes. */
    String flush() {
        return stopped ? "" : take(held.length());
    }

    /** Length of the longest end of the held text that begins a stop string. */
    private int longestBeginning() {
        for (int from = 0; from < held.length(); from++) {
            String end = held.substring(from);
            for (String stop : stops) {
                if (stop.startsWith(end)) {
                    return end.length();
                }
            }
        }
        return 0;
    }

    private String take(int length) {
        String text = held.substring(0, length);
        held.delete(0, length);
        return text;
    }
}
