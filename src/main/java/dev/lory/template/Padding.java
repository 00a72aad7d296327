package dev.lory.template;

/** Text widened to a number of code points. */
final class Padding {
    private Padding() {}

    /** As {@code str.center}: of an odd number of blanks the extra one stands where Python puts it. */
    static String centre(Budget budget, String s, int width, String fill) {
        int missing = missing(budget, s, width);
        int left = missing / 2 + (missing & width & 1);
        return one(fill).repeat(left) + s + fill.repeat(missing - left);
    }

    static String left(Budget budget, String s, int width, String fill) {
        return s + one(fill).repeat(missing(budget, s, width));
    }

    static String right(Budget budget, String s, int width, String fill) {
        return one(fill).repeat(missing(budget, s, width)) + s;
    }

    /** As {@code str.zfill}: zeros go behind a sign. */
    static String zeros(Budget budget, String s, int width) {
        int sign = s.startsWith("-") || s.startsWith("+") ? 1 : 0;
        return s.substring(0, sign) + "0".repeat(missing(budget, s, width)) + s.substring(sign);
    }

    private static int missing(Budget budget, String s, int width) {
        int missing = Math.max(0, width - Strings.length(s));
        budget.text((long) missing + s.length());
        return missing;
    }

    private static String one(String fill) {
        if (Strings.length(fill) != 1) {
            throw new TemplateFault("The fill character must be exactly one character long");
        }
        return fill;
    }
}
