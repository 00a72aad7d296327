package dev.lory.template;

import dev.lory.template.Filters.Filter;
import dev.lory.template.Value.Int;
import dev.lory.template.Value.Text;
import java.util.List;
import java.util.Map;

/** Filters that take any value as text. Nothing is escaped unless a template asks for it: chat templates are not HTML. */
final class TextFilters {
    static final Map<String, Filter> TABLE = Map.ofEntries(
            Filters.plain("upper", (e, v) -> e.text(Strings.upper(e.str(v)))),
            Filters.plain("lower", (e, v) -> e.text(Strings.lower(e.str(v)))),
            Filters.plain("capitalize", (e, v) -> e.text(Strings.capitalized(e.str(v)))),
            Filters.plain("title", (e, v) -> e.text(title(e.str(v)))),
            Map.entry("trim", (e, v, a) -> trim(e, v, a)),
            Map.entry("replace", TextFilters::replace),
            Map.entry("join", TextFilters::join),
            Map.entry("indent", TextFilters::indent),
            Map.entry("truncate", TextFilters::truncate),
            Map.entry(
                    "center",
                    (e, v, a) -> e.text(Padding.centre(
                            e.budget(), e.str(v), a.bind("center", "width").integer("width", 80), " "))),
            Filters.plain("wordcount", (e, v) -> Int.of(words(e.str(v)))),
            Map.entry("format", TextFilters::format),
            Filters.plain("escape", (e, v) -> escape(e, v)),
            Filters.plain("e", (e, v) -> escape(e, v)),
            Filters.plain("forceescape", (e, v) -> escape(e, v)),
            Filters.plain("safe", (e, v) -> e.text(e.str(v))));

    private TextFilters() {}

    /** A word begins after a blank, a hyphen or an opening bracket; elsewhere {@code str.title} differs. */
    private static String title(String s) {
        StringBuilder out = new StringBuilder(s.length());
        boolean begins = true;
        for (int c : s.codePoints().toArray()) {
            String letter = Character.toString(c);
            out.append(begins ? Strings.upper(letter) : Strings.lower(letter));
            begins = Strings.isSpace(c) || "-({[<".indexOf(c) >= 0;
        }
        return out.toString();
    }

    private static Value trim(Evaluator evaluator, Value value, Arguments arguments) {
        Arguments.Bound a = arguments.bind("trim", "chars");
        String s = evaluator.str(value);
        return evaluator.text(
                a.has("chars")
                        ? Strings.strip(s, a.text("chars"), true, true)
                        : Strings.stripEnd(Strings.stripStart(s)));
    }

    private static Value replace(Evaluator evaluator, Value value, Arguments arguments) {
        Arguments.Bound a = arguments.bind("replace", "old", "new", "count");
        return Methods.replaced(
                evaluator,
                evaluator.str(value),
                evaluator.str(a.required("old")),
                evaluator.str(a.required("new")),
                a.has("count") ? a.integer("count", -1) : -1);
    }

    private static Value join(Evaluator evaluator, Value value, Arguments arguments) {
        Arguments.Bound a = arguments.bind("join", "d", "attribute");
        String separator = evaluator.str(a.or("d", Text.EMPTY));
        StringBuilder out = new StringBuilder();
        boolean first = true;
        for (Value item : evaluator.list(value)) {
            if (!first) {
                out.append(separator);
            }
            out.append(evaluator.str(
                    a.has("attribute") ? SequenceFilters.dotted(evaluator, item, a.required("attribute")) : item));
            first = false;
            evaluator.budget().check(out.length());
        }
        return evaluator.text(out.toString());
    }

    private static Value indent(Evaluator evaluator, Value value, Arguments arguments) {
        Arguments.Bound a = arguments.bind("indent", "width", "first", "blank");
        String indention = a.or("width", Int.of(4)) instanceof Text t
                ? t.value()
                : " ".repeat(Math.clamp(a.integer("width", 4), 0, 10_000));
        if (!(Operators.defined(value) instanceof Text text)) {
            throw new TemplateFault("indent() wants text but was given a " + value.type());
        }
        String s = text.value() + "\n";
        List<String> lines = Strings.lines(s, false);
        evaluator.budget().text(s.length() + (long) lines.size() * (indention.length() + 1));
        boolean blank = a.flag("blank", false);
        StringBuilder out = new StringBuilder(a.flag("first", false) ? indention : "");
        for (int i = 0; i < lines.size(); i++) {
            if (i > 0) {
                out.append('\n').append(blank || !lines.get(i).isEmpty() ? indention : "");
            }
            out.append(lines.get(i));
        }
        return new Text(out.toString());
    }

    private static Value truncate(Evaluator evaluator, Value value, Arguments arguments) {
        Arguments.Bound a = arguments.bind("truncate", "length", "killwords", "end", "leeway");
        String end = a.text("end", "...");
        int length = a.integer("length", 255);
        int leeway = a.has("leeway") ? a.integer("leeway", 5) : 5;
        int kept = length - Strings.length(end);
        if (kept < 0 || leeway < 0) {
            throw new TemplateFault(
                    "truncate() expects a length of at least " + Strings.length(end) + ", got " + length);
        }
        if (Evaluator.length(value) <= (long) length + leeway) {
            return value;
        }
        if (!(value instanceof Text text)) {
            throw new TemplateFault("truncate() wants text but was given a " + value.type());
        }
        String s = text.value();
        String cut = s.substring(0, Strings.offset(s, kept));
        int blank = cut.lastIndexOf(' ');
        return evaluator.text((a.flag("killwords", false) || blank < 0 ? cut : cut.substring(0, blank)) + end);
    }

    private static int words(String s) {
        int words = 0;
        boolean inWord = false;
        for (int c : s.codePoints().toArray()) {
            boolean word = Strings.isWord(c);
            words += word && !inWord ? 1 : 0;
            inWord = word;
        }
        return words;
    }

    private static Value format(Evaluator evaluator, Value value, Arguments arguments) {
        if (!arguments.positional().isEmpty() && !arguments.named().isEmpty()) {
            throw new TemplateFault("can't handle positional and keyword arguments at the same time");
        }
        Dict.Builder named = new Dict.Builder();
        arguments.named().forEach(named::put);
        Value values =
                arguments.named().isEmpty() ? new Items(Items.Kind.TUPLE, arguments.positional()) : named.build();
        return evaluator.operators().apply(Expression.Operator.MODULO, new Text(evaluator.str(value)), values);
    }

    private static Value escape(Evaluator evaluator, Value value) {
        return evaluator.text(evaluator
                .str(value)
                .replace("&", "&amp;")
                .replace("<", "&lt;")
                .replace(">", "&gt;")
                .replace("'", "&#39;")
                .replace("\"", "&#34;"));
    }
}
