package dev.lory.template;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Locale;

/** Text as Python sees it: by code points, with Python's idea of white space. */
final class Strings {
    private Strings() {}

    /** As {@code str.isspace} and {@code \s} have it. */
    static boolean isSpace(int c) {
        return c == ' '
                || c >= 0x09 && c <= 0x0d
                || c >= 0x1c && c <= 0x1f
                || c == 0x85
                || c == 0xa0
                || c == 0x1680
                || c >= 0x2000 && c <= 0x200a
                || c == 0x2028
                || c == 0x2029
                || c == 0x202f
                || c == 0x205f
                || c == 0x3000;
    }

    /** As {@code \w} has it. */
    static boolean isWord(int c) {
        return c == '_' || Character.isLetterOrDigit(c) || Character.getType(c) == Character.OTHER_NUMBER;
    }

    static int skipSpace(String s, int from) {
        int i = from;
        while (i < s.length() && isSpace(s.charAt(i))) {
            i++;
        }
        return i;
    }

    /** Digits with single underscores between them. */
    static int skipDigits(String s, int from) {
        int i = from;
        while (i < s.length()) {
            char c = s.charAt(i);
            boolean separates = c == '_' && i > from && i + 1 < s.length() && isDigit(s.charAt(i + 1));
            if (!isDigit(c) && !separates) {
                break;
            }
            i++;
        }
        return i;
    }

    private static boolean isDigit(char c) {
        return c >= '0' && c <= '9';
    }

    static String stripStart(String s) {
        return s.substring(skipSpace(s, 0));
    }

    static String stripEnd(String s) {
        int end = s.length();
        while (end > 0 && isSpace(s.charAt(end - 1))) {
            end--;
        }
        return s.substring(0, end);
    }

    /** Strips any of the characters from the start, the end or both. */
    static String strip(String s, String characters, boolean start, boolean end) {
        BitSet stripped = new BitSet();
        characters.codePoints().forEach(stripped::set);
        int from = 0;
        int to = s.length();
        while (start && from < to && stripped.get(s.codePointAt(from))) {
            from += Character.charCount(s.codePointAt(from));
        }
        while (end && to > from && stripped.get(s.codePointBefore(to))) {
            to -= Character.charCount(s.codePointBefore(to));
        }
        return s.substring(from, to);
    }

    static int length(String s) {
        return s.codePointCount(0, s.length());
    }

    /** The char index of a code point index that is within the text. */
    static int offset(String s, int codePoints) {
        return s.offsetByCodePoints(0, codePoints);
    }

    static String shortened(String s, int chars) {
        return s.length() <= chars ? s : s.substring(0, chars) + "…";
    }

    /** As {@code str.splitlines}. */
    static List<String> lines(String s, boolean keepEnds) {
        List<String> lines = new ArrayList<>();
        int start = 0;
        for (int i = 0; i < s.length(); i++) {
            if (!isLineEnd(s.charAt(i))) {
                continue;
            }
            int next = s.startsWith("\r\n", i) ? i + 2 : i + 1;
            lines.add(s.substring(start, keepEnds ? next : i));
            start = next;
            i = next - 1;
        }
        if (start < s.length()) {
            lines.add(s.substring(start));
        }
        return lines;
    }

    private static boolean isLineEnd(char c) {
        return c >= 0x0a && c <= 0x0d || c >= 0x1c && c <= 0x1e || c == 0x85 || c == 0x2028 || c == 0x2029;
    }

    /** First letter upper case, the rest lower. */
    static String capitalized(String s) {
        if (s.isEmpty()) {
            return s;
        }
        int first = Character.charCount(s.codePointAt(0));
        return titleCase(s.codePointAt(0)) + lower(s.substring(first));
    }

    static String upper(String s) {
        return s.toUpperCase(Locale.ROOT);
    }

    static String lower(String s) {
        return s.toLowerCase(Locale.ROOT);
    }

    private static String titleCase(int c) {
        String upper = upper(Character.toString(c));
        if (Character.toTitleCase(c) != Character.toUpperCase(c)) {
            return Character.toString(Character.toTitleCase(c));
        }
        return upper.length() > Character.charCount(c) ? capitalizedExpansion(upper) : upper;
    }

    /** {@code ß} becomes {@code SS} in upper case, but {@code Ss} at the start of a word. */
    private static String capitalizedExpansion(String upper) {
        int first = Character.charCount(upper.codePointAt(0));
        return isCased(upper.codePointAt(0)) ? upper.substring(0, first) + lower(upper.substring(first)) : upper;
    }

    /** As {@code str.title}: every run of letters begins with a capital. */
    static String titled(String s) {
        StringBuilder out = new StringBuilder(s.length());
        boolean inWord = false;
        for (int c : s.codePoints().toArray()) {
            boolean cased = isCased(c);
            out.append(!cased ? Character.toString(c) : inWord ? lower(Character.toString(c)) : titleCase(c));
            inWord = cased;
        }
        return out.toString();
    }

    static boolean isCased(int c) {
        return Character.isUpperCase(c) || Character.isLowerCase(c) || Character.isTitleCase(c);
    }

    /** Whether the text has cased letters and all of them are upper case, or all lower case. */
    static boolean isAll(String s, boolean upper) {
        boolean any = false;
        for (int c : s.codePoints().toArray()) {
            if (isCased(c)) {
                any = true;
                if (upper ? !Character.isUpperCase(c) : !Character.isLowerCase(c)) {
                    return false;
                }
            }
        }
        return any;
    }

    /** Resolves the escapes of a Python string literal. Unknown ones stay as they are. */
    static String unescape(String s) {
        if (s.indexOf('\\') < 0) {
            return s;
        }
        StringBuilder out = new StringBuilder(s.length());
        for (int i = 0; i < s.length(); i++) {
            char c = s.charAt(i);
            if (c != '\\' || i + 1 == s.length()) {
                out.append(c);
                continue;
            }
            i++;
            char e = s.charAt(i);
            switch (e) {
                case '\n' -> {}
                case '\\', '\'', '"' -> out.append(e);
                case 'a' -> out.append('\u0007');
                case 'b' -> out.append('\b');
                case 'f' -> out.append('\f');
                case 'n' -> out.append('\n');
                case 'r' -> out.append('\r');
                case 't' -> out.append('\t');
                case 'v' -> out.append('\u000b');
                case 'x' -> i = hex(s, i, 2, out);
                case 'u' -> i = hex(s, i, 4, out);
                case 'U' -> i = hex(s, i, 8, out);
                case '0', '1', '2', '3', '4', '5', '6', '7' -> i = octal(s, i, out);
                case 'N' -> i = named(s, i, out);
                default -> out.append('\\').append(e);
            }
        }
        return out.toString();
    }

    /** {@code \N} and the name in braces. */
    private static int named(String s, int at, StringBuilder out) {
        int end = s.indexOf('}', at);
        if (!s.startsWith("N{", at) || end < 0) {
            throw new TemplateFault("\\N needs the name of a character in braces");
        }
        String name = s.substring(at + 2, end);
        try {
            out.appendCodePoint(Character.codePointOf(name));
        } catch (IllegalArgumentException e) {
            throw new TemplateFault("there is no character named " + Strings.shortened(name, 40));
        }
        return end;
    }

    private static int hex(String s, int at, int digits, StringBuilder out) {
        int value = 0;
        for (int i = at + 1; i <= at + digits; i++) {
            int digit = i < s.length() ? Character.digit(s.charAt(i), 16) : -1;
            if (digit < 0 || value > Character.MAX_CODE_POINT) {
                throw new TemplateFault("\\" + s.charAt(at) + " needs " + digits + " hexadecimal digits");
            }
            value = value * 16 + digit;
        }
        if (!Character.isValidCodePoint(value)) {
            throw new TemplateFault("\\U" + Integer.toHexString(value) + " is not a Unicode character");
        }
        out.appendCodePoint(value);
        return at + digits;
    }

    private static int octal(String s, int at, StringBuilder out) {
        int value = 0;
        int i = at;
        for (; i < s.length() && i < at + 3 && s.charAt(i) >= '0' && s.charAt(i) <= '7'; i++) {
            value = value * 8 + s.charAt(i) - '0';
        }
        out.appendCodePoint(value);
        return i - 1;
    }
}
