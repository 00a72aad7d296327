package dev.lory.template;

/** Finding text in text in time linear in both, whatever they are. */
final class Search {
    /** Up to here the JDK's own search is as good: its worst case is this many comparisons a character. */
    private static final int SHORT = 32;

    private Search() {}

    /** The first place at or behind {@code from}, or -1. */
    static int first(String text, String wanted, int from) {
        return wanted.length() <= SHORT ? text.indexOf(wanted, from) : find(text, wanted, from, false);
    }

    /** The last place, or -1. */
    static int last(String text, String wanted) {
        return last(text, wanted, text.length());
    }

    /** The last place that ends at or before {@code end}, or -1. */
    static int last(String text, String wanted, int end) {
        if (wanted.length() > end) {
            return -1;
        }
        if (wanted.length() <= SHORT) {
            return text.lastIndexOf(wanted, end - wanted.length());
        }
        int mirrored = find(text, wanted, text.length() - end, true);
        return mirrored < 0 ? -1 : text.length() - mirrored - wanted.length();
    }

    /** Knuth, Morris and Pratt; mirrored, both texts are read from their ends. */
    private static int find(String text, String wanted, int from, boolean mirrored) {
        int[] borders = new int[wanted.length()];
        for (int i = 1, matched = 0; i < wanted.length(); i++) {
            while (matched > 0 && at(wanted, i, mirrored) != at(wanted, matched, mirrored)) {
                matched = borders[matched - 1];
            }
            if (at(wanted, i, mirrored) == at(wanted, matched, mirrored)) {
                matched++;
            }
            borders[i] = matched;
        }
        for (int i = from, matched = 0; i < text.length(); i++) {
            while (matched > 0 && at(text, i, mirrored) != at(wanted, matched, mirrored)) {
                matched = borders[matched - 1];
            }
            if (at(text, i, mirrored) == at(wanted, matched, mirrored)) {
                matched++;
            }
            if (matched == wanted.length()) {
                return i - wanted.length() + 1;
            }
        }
        return -1;
    }

    private static char at(String s, int index, boolean mirrored) {
        return s.charAt(mirrored ? s.length() - 1 - index : index);
    }
}
