package dev.lory.template;

import dev.lory.template.Value.Int;
import dev.lory.template.Value.Real;
import dev.lory.template.Value.Text;
import dev.lory.template.Value.Undefined;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.RoundingMode;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.BiFunction;

/** The filters, {@code value | name(arguments)}, as Jinja and transformers define them. Here: those on any value and on numbers. */
final class Filters {
    /** What a filter does. */
    interface Filter {
        Value apply(Evaluator evaluator, Value value, Arguments arguments);
    }

    /** Filters of Jinja for pages and people. */
    private static final Set<String> ELSEWHERE =
            Set.of("filesizeformat", "pprint", "random", "striptags", "urlencode", "urlize", "wordwrap", "xmlattr");

    private static final Map<String, Filter> TABLE = table();

    private Filters() {}

    private static Map<String, Filter> table() {
        Map<String, Filter> table = new HashMap<>(TextFilters.TABLE);
        table.putAll(SequenceFilters.TABLE);
        table.put("default", Filters::orDefault);
        table.put("d", Filters::orDefault);
        table.put("tojson", (e, v, a) -> Json.dump(e.budget(), e.operators(), v, a));
        put(table, plain("length", (e, v) -> Int.of(Evaluator.length(v))));
        put(table, plain("count", (e, v) -> Int.of(Evaluator.length(v))));
        put(table, plain("string", (e, v) -> e.text(e.str(v))));
        table.put("attr", (e, v, a) -> attr(e, v, a.bind("attr", "name").text("name")));
        put(table, plain("abs", (e, v) -> abs(e, v)));
        table.put("int", Filters::toInt);
        table.put("float", Filters::toFloat);
        table.put("round", Filters::round);
        return Map.copyOf(table);
    }

    private static void put(Map<String, Filter> table, Map.Entry<String, Filter> entry) {
        table.put(entry.getKey(), entry.getValue());
    }

    /** A filter without arguments. */
    static Map.Entry<String, Filter> plain(String name, BiFunction<Evaluator, Value, Value> filter) {
        return Map.entry(name, (evaluator, value, arguments) -> {
            arguments.bind(name);
            return filter.apply(evaluator, value);
        });
    }

    static boolean known(String name) {
        return TABLE.containsKey(name);
    }

    /** The sentence for a filter that is not known. */
    static String unknown(String name) {
        return ELSEWHERE.contains(name)
                ? "the filter '" + name + "' is not supported: a prompt is neither HTML nor random"
                : "there is no filter named '" + name + "'";
    }

    static Value apply(Evaluator evaluator, String name, Value value, Arguments arguments) {
        Filter filter = TABLE.get(name);
        if (filter == null) {
            throw new TemplateFault(unknown(name));
        }
        evaluator.budget().read(value);
        arguments.positional().forEach(evaluator.budget()::read);
        return filter.apply(evaluator, value, arguments);
    }

    private static Value orDefault(Evaluator evaluator, Value value, Arguments arguments) {
        Arguments.Bound a = arguments.bind("default", "default_value", "boolean");
        boolean replaced = value instanceof Undefined || a.flag("boolean", false) && !value.truthy();
        return replaced ? a.or("default_value", Text.EMPTY) : value;
    }

    private static Value attr(Evaluator evaluator, Value value, String name) {
        // Unlike value.name, this never finds the item of a dict.
        Value found = evaluator.attribute(value, name);
        boolean item = value instanceof Dict && !(found instanceof Value.Function);
        return item ? new Undefined("'dict object' has no attribute '" + name + "'") : found;
    }

    private static Value abs(Evaluator evaluator, Value value) {
        if (!Operators.isNumber(Operators.defined(value))) {
            throw new TemplateFault("bad operand type for abs(): '" + value.type() + "'");
        }
        return Operators.isReal(value)
                ? new Real(Math.abs(Operators.real(value)))
                : new Int(Operators.integer(value).abs());
    }

    private static Value toInt(Evaluator evaluator, Value value, Arguments arguments) {
        Arguments.Bound a = arguments.bind("int", "default", "base");
        Value fallback = a.or("default", Int.of(0));
        Operators.defined(value);
        if (value instanceof Text t) {
            Optional<BigInteger> whole = parseInteger(t.value(), a.integer("base", 10));
            if (whole.isPresent()) {
                return new Int(whole.get());
            }
            return parseReal(t.value())
                    .filter(d -> !Double.isNaN(d) && !Double.isInfinite(d))
                    .<Value>map(d -> new Int(new BigDecimal(d).toBigInteger()))
                    .orElse(fallback);
        }
        if (!Operators.isNumber(value)) {
            return fallback;
        }
        if (!Operators.isReal(value)) {
            return new Int(Operators.integer(value));
        }
        double d = Operators.real(value);
        return Double.isNaN(d) || Double.isInfinite(d) ? fallback : new Int(new BigDecimal(d).toBigInteger());
    }

    private static Value toFloat(Evaluator evaluator, Value value, Arguments arguments) {
        Arguments.Bound a = arguments.bind("float", "default");
        Value fallback = a.or("default", new Real(0));
        Operators.defined(value);
        if (value instanceof Text t) {
            return parseReal(t.value()).<Value>map(Real::new).orElse(fallback);
        }
        return Operators.isNumber(value) ? new Real(Operators.real(value)) : fallback;
    }

    /** As {@code int(text, base)}: blanks around, single underscores and a prefix of the base are fine. */
    private static Optional<BigInteger> parseInteger(String text, int base) {
        String s = Strings.stripEnd(Strings.stripStart(text));
        boolean negative = s.startsWith("-");
        String digits = negative || s.startsWith("+") ? s.substring(1) : s;
        String prefix = base == 16 ? "0x" : base == 8 ? "0o" : base == 2 ? "0b" : "";
        if (!prefix.isEmpty() && Strings.lower(digits).startsWith(prefix)) {
            digits = digits.substring(2);
        }
        if (base < 2 || base > 36 || digits.length() > 4300 || !singleUnderscores(digits)) {
            return Optional.empty();
        }
        try {
            BigInteger value = new BigInteger(digits.replace("_", ""), base);
            boolean signTwice = digits.startsWith("-") || digits.startsWith("+");
            return signTwice ? Optional.empty() : Optional.of(negative ? value.negate() : value);
        } catch (NumberFormatException e) {
            return Optional.empty();
        }
    }

    private static boolean singleUnderscores(String digits) {
        return !digits.isEmpty() && !digits.startsWith("_") && !digits.endsWith("_") && !digits.contains("__");
    }

    private static Optional<Double> parseReal(String text) {
        String s = Strings.lower(Strings.stripEnd(Strings.stripStart(text)));
        String unsigned = s.startsWith("-") || s.startsWith("+") ? s.substring(1) : s;
        double sign = s.startsWith("-") ? -1 : 1;
        if (unsigned.equals("inf") || unsigned.equals("infinity")) {
            return Optional.of(sign * Double.POSITIVE_INFINITY);
        }
        if (unsigned.equals("nan")) {
            return Optional.of(Double.NaN);
        }
        if (unsigned.length() > 4300 || !unsigned.chars().allMatch(c -> "0123456789._e+-".indexOf(c) >= 0)) {
            return Optional.empty();
        }
        try {
            return singleUnderscores(unsigned)
                    ? Optional.of(sign * Double.parseDouble(unsigned.replace("_", "")))
                    : Optional.empty();
        } catch (NumberFormatException e) {
            return Optional.empty();
        }
    }

    private static Value round(Evaluator evaluator, Value value, Arguments arguments) {
        Arguments.Bound a = arguments.bind("round", "precision", "method");
        int precision = a.integer("precision", 0);
        String method = a.text("method", "common");
        if (!method.equals("common") && !method.equals("ceil") && !method.equals("floor")) {
            throw new TemplateFault("method must be common, ceil or floor");
        }
        if (!Operators.isNumber(Operators.defined(value)) || Math.abs((long) precision) > 400) {
            throw new TemplateFault(
                    "round() needs a number and a precision within 400, not " + value.type() + ", " + precision);
        }
        if (!method.equals("common")) {
            double scale = Math.pow(10, precision);
            double scaled = Operators.real(value) * scale;
            return new Real((method.equals("ceil") ? Math.ceil(scaled) : Math.floor(scaled)) / scale);
        }
        if (value instanceof Real r) {
            boolean finite = !Double.isNaN(r.value()) && !Double.isInfinite(r.value());
            return finite ? new Real(rounded(r.value(), precision)) : r;
        }
        BigInteger whole = Operators.integer(value);
        return new Int(
                precision >= 0
                        ? whole
                        : new BigDecimal(whole)
                                .setScale(precision, RoundingMode.HALF_EVEN)
                                .toBigInteger());
    }

    /** Half to even of the exact value, as Python's {@code round}; the sign of zero is kept. */
    private static double rounded(double d, int precision) {
        double magnitude = new BigDecimal(Math.abs(d))
                .setScale(precision, RoundingMode.HALF_EVEN)
                .doubleValue();
        return Math.copySign(magnitude, d);
    }
}
