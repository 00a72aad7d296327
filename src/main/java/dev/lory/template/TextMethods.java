package dev.lory.template;

import dev.lory.template.Methods.TextMethod;
import dev.lory.template.Value.Bool;
import dev.lory.template.Value.Int;
import dev.lory.template.Value.Text;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BiFunction;
import java.util.function.BiPredicate;
import java.util.function.IntPredicate;

/** Python's methods of str, by code points. */
final class TextMethods {
    static final Map<String, TextMethod> TABLE = Map.ofEntries(
            plain("upper", (e, s) -> e.text(Strings.upper(s))),
            plain("lower", (e, s) -> e.text(Strings.lower(s))),
            plain("casefold", (e, s) -> e.text(Strings.lower(Strings.upper(s)))),
            plain("capitalize", (e, s) -> e.text(Strings.capitalized(s))),
            plain("title", (e, s) -> e.text(Strings.titled(s))),
            plain("swapcase", (e, s) -> e.text(swapped(s))),
            Map.entry("strip", (e, s, a) -> strip(e, s, a, true, true)),
            Map.entry("lstrip", (e, s, a) -> strip(e, s, a, true, false)),
            Map.entry("rstrip", (e, s, a) -> strip(e, s, a, false, true)),
            Map.entry("removeprefix", (e, s, a) -> {
                String prefix = a.bind("removeprefix", "prefix").text("prefix");
                return e.text(s.startsWith(prefix) ? s.substring(prefix.length()) : s);
            }),
            Map.entry("removesuffix", (e, s, a) -> {
                String suffix = a.bind("removesuffix", "suffix").text("suffix");
                return e.text(s.endsWith(suffix) ? s.substring(0, s.length() - suffix.length()) : s);
            }),
            Map.entry("startswith", (e, s, a) -> affix(s, a, "startswith", String::startsWith)),
            Map.entry("endswith", (e, s, a) -> affix(s, a, "endswith", String::endsWith)),
            Map.entry("split", (e, s, a) -> split(e, s, a, false)),
            Map.entry("rsplit", (e, s, a) -> split(e, s, a, true)),
            Map.entry(
                    "splitlines",
                    (e, s, a) -> texts(
                            e, Strings.lines(s, a.bind("splitlines", "keepends").flag("keepends", false)))),
            Map.entry("partition", (e, s, a) -> partition(e, s, a, false)),
            Map.entry("rpartition", (e, s, a) -> partition(e, s, a, true)),
            Map.entry("join", TextMethods::join),
            Map.entry("replace", (e, s, a) -> {
                Arguments.Bound b = a.bind("replace", "old", "new", "count");
                return Methods.replaced(e, s, b.text("old"), b.text("new"), b.integer("count", -1));
            }),
            Map.entry("find", (e, s, a) -> Int.of(found(s, a, false))),
            Map.entry("rfind", (e, s, a) -> Int.of(found(s, a, true))),
            Map.entry("index", (e, s, a) -> index(s, a, false)),
            Map.entry("rindex", (e, s, a) -> index(s, a, true)),
            Map.entry("count", TextMethods::count),
            Map.entry("format", (e, s, a) -> e.text(new BraceFormat(e, a).format(s))),
            Map.entry("center", (e, s, a) -> padded(e, s, a, Padding::centre)),
            Map.entry("ljust", (e, s, a) -> padded(e, s, a, Padding::left)),
            Map.entry("rjust", (e, s, a) -> padded(e, s, a, Padding::right)),
            Map.entry(
                    "zfill",
                    (e, s, a) -> e.text(Padding.zeros(
                            e.budget(),
                            s,
                            Operators.index(a.bind("zfill", "width").required("width"))))),
            plain("isspace", (e, s) -> all(s, Strings::isSpace)),
            plain("isalpha", (e, s) -> all(s, Character::isLetter)),
            plain("isdigit", (e, s) -> all(s, Character::isDigit)),
            plain("isdecimal", (e, s) -> all(s, Character::isDigit)),
            plain("isnumeric", (e, s) -> all(s, TextMethods::isNumeric)),
            plain("isalnum", (e, s) -> all(s, c -> Character.isLetter(c) || isNumeric(c))),
            plain("isascii", (e, s) -> Bool.of(s.chars().allMatch(c -> c < 0x80))),
            plain("isidentifier", (e, s) -> Bool.of(isIdentifier(s))),
            plain("isprintable", (e, s) -> Bool.of(s.codePoints().allMatch(PythonText::isPrintable))),
            plain(
                    "istitle",
                    (e, s) -> Bool.of(s.codePoints().anyMatch(Strings::isCased)
                            && Strings.titled(s).equals(s))),
            Map.entry("expandtabs", TextMethods::expandTabs),
            plain("islower", (e, s) -> Bool.of(Strings.isAll(s, false))),
            plain("isupper", (e, s) -> Bool.of(Strings.isAll(s, true))));

    private TextMethods() {}

    private static Map.Entry<String, TextMethod> plain(String name, BiFunction<Evaluator, String, Value> method) {
        return Map.entry(name, (evaluator, self, arguments) -> {
            arguments.bind(name);
            return method.apply(evaluator, self);
        });
    }

    private static boolean isNumeric(int c) {
        return Character.isDigit(c)
                || Character.getType(c) == Character.LETTER_NUMBER
                || Character.getType(c) == Character.OTHER_NUMBER;
    }

    private static Value all(String s, IntPredicate test) {
        return Bool.of(!s.isEmpty() && s.codePoints().allMatch(test));
    }

    private static boolean isIdentifier(String s) {
        return !s.isEmpty()
                && (s.charAt(0) == '_' || Character.isUnicodeIdentifierStart(s.codePointAt(0)))
                && s.codePoints()
                        .allMatch(c -> Character.isUnicodeIdentifierPart(c) && !Character.isIdentifierIgnorable(c));
    }

    private static Value expandTabs(Evaluator evaluator, String s, Arguments arguments) {
        int size = Math.clamp(arguments.bind("expandtabs", "tabsize").integer("tabsize", 8), 0, 1000);
        StringBuilder out = new StringBuilder();
        int column = 0;
        for (int c : s.codePoints().toArray()) {
            if (c == '\t') {
                int blanks = size == 0 ? 0 : size - column % size;
                out.repeat(' ', blanks);
                column += blanks;
                evaluator.budget().check(out.length());
            } else {
                out.appendCodePoint(c);
                column = c == '\n' || c == '\r' ? 0 : column + 1;
            }
        }
        return evaluator.text(out.toString());
    }

    private static String swapped(String s) {
        StringBuilder out = new StringBuilder(s.length());
        s.codePoints()
                .forEach(c -> out.append(
                        Character.isUpperCase(c)
                                ? Strings.lower(Character.toString(c))
                                : Strings.upper(Character.toString(c))));
        return out.toString();
    }

    private static Value strip(Evaluator evaluator, String s, Arguments arguments, boolean start, boolean end) {
        Arguments.Bound a = arguments.bind("strip", "chars");
        if (a.has("chars")) {
            return evaluator.text(Strings.strip(s, a.text("chars"), start, end));
        }
        String stripped = start ? Strings.stripStart(s) : s;
        return evaluator.text(end ? Strings.stripEnd(stripped) : stripped);
    }

    private static Value affix(String s, Arguments arguments, String method, BiPredicate<String, String> test) {
        Arguments.Bound a = arguments.bind(method, "affix", "start", "end");
        Optional<String> part = part(s, a);
        Value affix = a.required("affix");
        if (affix instanceof Items items && items.kind() == Items.Kind.TUPLE) {
            return Bool.of(part.isPresent()
                    && items.list().stream()
                            .anyMatch(v -> v instanceof Text t && test.test(part.orElseThrow(), t.value())));
        }
        String wanted = a.text("affix");
        return Bool.of(part.filter(p -> test.test(p, wanted)).isPresent());
    }

    /** The part from {@code start} to {@code end}; none where that lies outside, in which not even the empty text is found. */
    private static Optional<String> part(String s, Arguments.Bound a) {
        int length = Strings.length(s);
        int from = bound(a, "start", 0, length);
        int to = bound(a, "end", length, length);
        boolean outside = from > to || a.has("start") && a.integer("start", 0) > length;
        return outside ? Optional.empty() : Optional.of(s.substring(Strings.offset(s, from), Strings.offset(s, to)));
    }

    private static int bound(Arguments.Bound a, String parameter, int fallback, int length) {
        long at = a.has(parameter) ? a.integer(parameter, fallback) : fallback;
        return Math.clamp(at < 0 ? at + length : at, 0, length);
    }

    private static int found(String s, Arguments arguments, boolean last) {
        Arguments.Bound a = arguments.bind("find", "sub", "start", "end");
        String wanted = a.text("sub");
        String part = part(s, a).orElse(null);
        if (part == null) {
            return -1;
        }
        int at = last ? Search.last(part, wanted) : Search.first(part, wanted, 0);
        return at < 0 ? -1 : part.codePointCount(0, at) + bound(a, "start", 0, Strings.length(s));
    }

    private static Value index(String s, Arguments arguments, boolean last) {
        int at = found(s, arguments, last);
        if (at < 0) {
            throw new TemplateFault("substring not found");
        }
        return Int.of(at);
    }

    private static Value count(Evaluator evaluator, String s, Arguments arguments) {
        Arguments.Bound a = arguments.bind("count", "sub", "start", "end");
        String wanted = a.text("sub");
        String part = part(s, a).orElse(null);
        if (part == null) {
            return Int.of(0);
        }
        if (wanted.isEmpty()) {
            return Int.of(Strings.length(part) + 1L);
        }
        long count = 0;
        for (int at = Search.first(part, wanted, 0); at >= 0; at = Search.first(part, wanted, at + wanted.length())) {
            count++;
        }
        return Int.of(count);
    }

    private static Value texts(Evaluator evaluator, List<String> parts) {
        evaluator.budget().items(parts.size());
        List<Value> values = new ArrayList<>(parts.size());
        for (String part : parts) {
            values.add(evaluator.text(part));
        }
        return Items.list(values);
    }

    private static Value split(Evaluator evaluator, String s, Arguments arguments, boolean fromEnd) {
        Arguments.Bound a = arguments.bind("split", "sep", "maxsplit");
        int limit = a.integer("maxsplit", -1);
        if (a.has("sep") && a.text("sep").isEmpty()) {
            throw new TemplateFault("empty separator");
        }
        List<String> parts;
        if (a.has("sep")) {
            parts = fromEnd ? splitFromEnd(s, a.text("sep"), limit) : split(s, a.text("sep"), limit);
        } else {
            parts = fromEnd ? wordsFromEnd(s, limit) : words(s, limit);
        }
        return texts(evaluator, parts);
    }

    private static List<String> split(String s, String separator, int limit) {
        List<String> parts = new ArrayList<>();
        int from = 0;
        for (int at = Search.first(s, separator, 0);
                at >= 0 && parts.size() != limit;
                at = Search.first(s, separator, from)) {
            parts.add(s.substring(from, at));
            from = at + separator.length();
        }
        parts.add(s.substring(from));
        return parts;
    }

    private static List<String> splitFromEnd(String s, String separator, int limit) {
        List<String> parts = new ArrayList<>();
        int to = s.length();
        while (parts.size() != limit && to >= separator.length()) {
            int at = Search.last(s, separator, to);
            if (at < 0) {
                break;
            }
            parts.add(s.substring(at + separator.length(), to));
            to = at;
        }
        parts.add(s.substring(0, to));
        Collections.reverse(parts);
        return parts;
    }

    private static List<String> words(String s, int limit) {
        List<String> parts = new ArrayList<>();
        int at = Strings.skipSpace(s, 0);
        while (at < s.length()) {
            if (parts.size() == limit) {
                parts.add(s.substring(at));
                break;
            }
            int end = at;
            while (end < s.length() && !Strings.isSpace(s.charAt(end))) {
                end++;
            }
            parts.add(s.substring(at, end));
            at = Strings.skipSpace(s, end);
        }
        return parts;
    }

    private static List<String> wordsFromEnd(String s, int limit) {
        List<String> parts = new ArrayList<>();
        String rest = Strings.stripEnd(s);
        while (!rest.isEmpty()) {
            if (parts.size() == limit) {
                parts.add(rest);
                break;
            }
            int start = rest.length();
            while (start > 0 && !Strings.isSpace(rest.charAt(start - 1))) {
                start--;
            }
            parts.add(rest.substring(start));
            rest = Strings.stripEnd(rest.substring(0, start));
        }
        Collections.reverse(parts);
        return parts;
    }

    private static Value partition(Evaluator evaluator, String s, Arguments arguments, boolean last) {
        String separator = arguments.bind("partition", "sep").text("sep");
        if (separator.isEmpty()) {
            throw new TemplateFault("empty separator");
        }
        int at = last ? s.lastIndexOf(separator) : Search.first(s, separator, 0);
        if (at < 0) {
            return last
                    ? Items.tuple(Text.EMPTY, Text.EMPTY, evaluator.text(s))
                    : Items.tuple(evaluator.text(s), Text.EMPTY, Text.EMPTY);
        }
        return Items.tuple(
                evaluator.text(s.substring(0, at)),
                new Text(separator),
                evaluator.text(s.substring(at + separator.length())));
    }

    private static Value join(Evaluator evaluator, String separator, Arguments arguments) {
        List<Value> items = evaluator.list(arguments.bind("join", "iterable").required("iterable"));
        StringBuilder out = new StringBuilder();
        for (int i = 0; i < items.size(); i++) {
            if (!(items.get(i) instanceof Text t)) {
                throw new TemplateFault("sequence item " + i + ": expected str instance, "
                        + items.get(i).type() + " found");
            }
            out.append(i == 0 ? "" : separator).append(t.value());
            evaluator.budget().check(out.length());
        }
        return evaluator.text(out.toString());
    }

    /** One of {@link Padding}'s ways. */
    private interface Pad {
        String pad(Budget budget, String s, int width, String fill);
    }

    private static Value padded(Evaluator evaluator, String s, Arguments arguments, Pad pad) {
        Arguments.Bound a = arguments.bind("padding", "width", "fillchar");
        int width = Operators.index(a.required("width"));
        return evaluator.text(pad.pad(evaluator.budget(), s, width, a.text("fillchar", " ")));
    }
}
