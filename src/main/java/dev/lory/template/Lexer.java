package dev.lory.template;

import dev.lory.template.Token.Kind;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/**
 * Cuts a template into tokens, with Jinja's white space rules under {@code trim_blocks} and {@code lstrip_blocks}:
 * the newline after a block goes, blanks before a block that begins its line go, {@code -} strips, {@code +} keeps.
 * One pass; every character is looked at a bounded number of times.
 */
final class Lexer {
    private static final List<String> OPERATORS = List.of(
            "//", "**", "==", "!=", ">=", "<=", "+", "-", "/", "*", "%", "~", "[", "]", "(", ")", "{", "}", ">", "<",
            "=", ".", ":", "|", ",", ";");

    private final String source;
    private final List<Token> tokens = new ArrayList<>();
    private final Deque<Character> brackets = new ArrayDeque<>();
    private int at;
    private int line = 1;
    private int lineCountedTo;

    private Lexer(String source) {
        this.source = source;
    }

    /** All tokens, the last of them {@link Kind#END}. */
    static List<Token> tokens(String template) {
        String source = template.replace("\r\n", "\n").replace('\r', '\n');
        if (source.endsWith("\n")) {
            source = source.substring(0, source.length() - 1);
        }
        return new Lexer(source).run();
    }

    private List<Token> run() {
        while (at < source.length()) {
            int tag = nextTag(at);
            if (tag < 0) {
                data(source.substring(at));
                at = source.length();
                break;
            }
            char kind = source.charAt(tag + 1);
            int afterSign = tag + 2;
            char sign = signAt(afterSign);
            if (sign != 0) {
                afterSign++;
            }
            data(beforeTag(at, tag, sign, kind != '{'));
            at = tag;
            if (kind == '#') {
                comment(afterSign);
            } else if (kind == '{') {
                add(Kind.VARIABLE_BEGIN, "{{");
                at = afterSign;
                inside(Kind.VARIABLE_END);
            } else {
                int raw = endOfWordTag(afterSign, "raw", false);
                if (raw >= 0) {
                    at = raw;
                    raw();
                } else {
                    add(Kind.BLOCK_BEGIN, "{%");
                    at = afterSign;
                    inside(Kind.BLOCK_END);
                }
            }
        }
        add(Kind.END, "");
        return tokens;
    }

    private int nextTag(int from) {
        for (int i = source.indexOf('{', from); i >= 0 && i + 1 < source.length(); i = source.indexOf('{', i + 1)) {
            char c = source.charAt(i + 1);
            if (c == '{' || c == '%' || c == '#') {
                return i;
            }
        }
        return -1;
    }

    private char signAt(int index) {
        char c = charAt(index);
        return c == '-' || c == '+' ? c : 0;
    }

    private char charAt(int index) {
        return index < source.length() ? source.charAt(index) : 0;
    }

    /** The text in front of a tag, less what the tag strips from it. */
    private String beforeTag(int from, int tag, char sign, boolean block) {
        String text = source.substring(from, tag);
        if (sign == '-') {
            return Strings.stripEnd(text);
        }
        if (sign == '+' || !block) {
            return text;
        }
        int lineStart = text.lastIndexOf('\n') + 1;
        boolean startsLine = lineStart > 0 || from == 0 || source.charAt(from - 1) == '\n';
        boolean blank =
                startsLine && Strings.stripEnd(text.substring(lineStart)).isEmpty();
        return blank ? text.substring(0, lineStart) : text;
    }

    private void data(String text) {
        if (!text.isEmpty()) {
            add(Kind.DATA, text);
        }
    }

    private void comment(int from) {
        int end = source.indexOf("#}", from);
        if (end < 0) {
            throw fail("the comment has no end '#}'");
        }
        boolean strips = end > from && source.charAt(end - 1) == '-';
        boolean keeps = end > from && source.charAt(end - 1) == '+';
        at = afterBlockEnd(end + 2, strips, keeps);
    }

    private int afterBlockEnd(int index, boolean strips, boolean keeps) {
        if (strips) {
            return Strings.skipSpace(source, index);
        }
        return !keeps && charAt(index) == '\n' ? index + 1 : index;
    }

    /** The index behind {@code raw %}} or {@code endraw %}}, when that word is what stands at the index; else -1. */
    private int endOfWordTag(int from, String word, boolean trims) {
        int i = Strings.skipSpace(source, from);
        if (!source.startsWith(word, i)) {
            return -1;
        }
        i = Strings.skipSpace(source, i + word.length());
        if (source.startsWith("-%}", i)) {
            return Strings.skipSpace(source, i + 3);
        }
        if (trims && source.startsWith("+%}", i)) {
            return i + 3;
        }
        if (source.startsWith("%}", i)) {
            return trims ? afterBlockEnd(i + 2, false, false) : i + 2;
        }
        return -1;
    }

    private void raw() {
        for (int tag = source.indexOf("{%", at); tag >= 0; tag = source.indexOf("{%", tag + 1)) {
            char sign = signAt(tag + 2);
            int end = endOfWordTag(sign == 0 ? tag + 2 : tag + 3, "endraw", true);
            if (end >= 0) {
                data(beforeTag(at, tag, sign, true));
                at = end;
                return;
            }
        }
        throw fail("the raw block has no end '{% endraw %}'");
    }

    private void inside(Kind end) {
        while (true) {
            at = Strings.skipSpace(source, at);
            if (at >= source.length()) {
                return;
            }
            if (brackets.isEmpty() && endTag(end)) {
                return;
            }
            char c = source.charAt(at);
            if (c >= '0' && c <= '9') {
                number();
            } else if (c == '\'' || c == '"') {
                string(c);
            } else if (Strings.isWord(source.codePointAt(at))) {
                name();
            } else {
                operator();
            }
        }
    }

    private boolean endTag(Kind end) {
        String close = end == Kind.VARIABLE_END ? "}}" : "%}";
        boolean strips = source.startsWith("-" + close, at);
        boolean keeps = end == Kind.BLOCK_END && source.startsWith("+" + close, at);
        if (!strips && !keeps && !source.startsWith(close, at)) {
            return false;
        }
        add(end, close);
        int behind = at + (strips || keeps ? 3 : 2);
        at = end == Kind.BLOCK_END || strips ? afterBlockEnd(behind, strips, keeps) : behind;
        return true;
    }

    private void number() {
        int end = Strings.skipDigits(source, at);
        boolean afterDot = source.charAt(at - 1) == '.';
        int real = afterDot ? -1 : endOfFraction(end);
        if (real > 0) {
            addNumber(Kind.FLOAT, real);
            return;
        }
        char radix = Character.toLowerCase(charAt(at + 1));
        if (charAt(at) == '0' && (radix == 'x' || radix == 'o' || radix == 'b')) {
            int base = radix == 'x' ? 16 : radix == 'o' ? 8 : 2;
            int i = at + 2;
            while (Character.digit(charAt(i), base) >= 0 || charAt(i) == '_') {
                i++;
            }
            addNumber(Kind.INTEGER, i);
        } else if (charAt(at) == '0') {
            int i = at;
            while (charAt(i) == '0') {
                i++;
            }
            addNumber(Kind.INTEGER, i);
        } else {
            addNumber(Kind.INTEGER, end);
        }
    }

    /** The end of {@code .5}, {@code .5e3} or {@code e3} behind the digits; -1 when there is neither. */
    private int endOfFraction(int digitsEnd) {
        int i = digitsEnd;
        if (charAt(i) == '.' && isDigit(charAt(i + 1))) {
            i = Strings.skipDigits(source, i + 1);
        }
        if (charAt(i) == 'e' || charAt(i) == 'E') {
            int digits = charAt(i + 1) == '+' || charAt(i + 1) == '-' ? i + 2 : i + 1;
            if (isDigit(charAt(digits))) {
                i = Strings.skipDigits(source, digits);
            }
        }
        return i == digitsEnd ? -1 : i;
    }

    private static boolean isDigit(char c) {
        return c >= '0' && c <= '9';
    }

    private void addNumber(Kind kind, int end) {
        String text = source.substring(at, end).replace("_", "");
        if (text.length() > 4300) {
            throw fail("a number of " + text.length() + " digits is too long");
        }
        add(kind, text);
        at = end;
    }

    private void string(char quote) {
        int end = at + 1;
        while (charAt(end) != quote) {
            if (end >= source.length()) {
                throw fail(
                        "the string that begins with " + Strings.shortened(source.substring(at), 20) + " has no end");
            }
            end += charAt(end) == '\\' ? 2 : 1;
        }
        try {
            add(Kind.STRING, Strings.unescape(source.substring(at + 1, end)));
        } catch (TemplateFault e) {
            throw fail(e.text());
        }
        at = end + 1;
    }

    private void name() {
        int end = at;
        while (end < source.length() && Strings.isWord(source.codePointAt(end))) {
            end += Character.charCount(source.codePointAt(end));
        }
        add(Kind.NAME, source.substring(at, end));
        at = end;
    }

    private void operator() {
        for (String symbol : OPERATORS) {
            if (source.startsWith(symbol, at)) {
                balance(symbol.charAt(0));
                add(Kind.OPERATOR, symbol);
                at += symbol.length();
                return;
            }
        }
        throw fail("unexpected character '" + Character.toString(source.codePointAt(at)) + "'");
    }

    private void balance(char c) {
        switch (c) {
            case '(' -> brackets.push(')');
            case '[' -> brackets.push(']');
            case '{' -> brackets.push('}');
            case ')', ']', '}' -> {
                if (brackets.isEmpty()) {
                    throw fail("unexpected '" + c + "'");
                }
                char wanted = brackets.pop();
                if (wanted != c) {
                    throw fail("unexpected '" + c + "', expected '" + wanted + "'");
                }
            }
            default -> {}
        }
        if (brackets.size() > Parser.MAX_NESTING) {
            throw fail("brackets are nested deeper than " + Parser.MAX_NESTING);
        }
    }

    private void add(Kind kind, String text) {
        countLines();
        tokens.add(new Token(kind, text, line));
    }

    private void countLines() {
        for (; lineCountedTo < at; lineCountedTo++) {
            if (source.charAt(lineCountedTo) == '\n') {
                line++;
            }
        }
    }

    private TemplateSyntaxFault fail(String what) {
        countLines();
        return new TemplateSyntaxFault(line, what);
    }
}
