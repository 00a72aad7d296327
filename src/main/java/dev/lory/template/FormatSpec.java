package dev.lory.template;

import dev.lory.template.Value.Text;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * How Python's {@code '{:spec}'.format(value)} writes a value: {@code [[fill]align][sign][#][0][width][,][.precision][type]} (Python's library
 * reference, format specification mini-language).
 */
final class FormatSpec {
    private static final Pattern GRAMMAR = Pattern.compile(
            "(?:(?<fill>.)?(?<align>[<>=^]))?(?<sign>[-+ ]?)(?<form>#?)(?<zero>0?)(?<width>\\d{0,5})(?<comma>,?)"
                    + "(?:\\.(?<precision>\\d{1,5}))?(?<type>[a-zA-Z%]?)",
            Pattern.DOTALL);

    private static final int MAX_WIDTH = 10_000;

    private final Evaluator evaluator;
    private final String written;
    private final Matcher spec;

    /** @throws TemplateFault if it is none, or one not known here */
    FormatSpec(Evaluator evaluator, String written) {
        this.evaluator = evaluator;
        this.written = written;
        spec = GRAMMAR.matcher(written);
        if (!spec.matches() || number("width") > MAX_WIDTH || number("precision") > MAX_WIDTH) {
            throw new TemplateFault(
                    "'" + Strings.shortened(written, 40) + "' is no format specification, or one too wide");
        }
    }

    String format(Value value) {
        if (written.isEmpty()) {
            return evaluator.str(value);
        }
        if (value instanceof Text text) {
            return padded("", textual(text), "<");
        }
        if (!Operators.isNumber(value)) {
            Operators.defined(value);
            throw new TemplateFault("unsupported format string passed to " + value.type() + ".__format__");
        }
        String body = numeric(value);
        boolean negative = body.startsWith("-");
        String positive = has("sign") && !part("sign").equals("-") ? part("sign") : "";
        return padded(negative ? "-" : positive, negative ? body.substring(1) : body, ">");
    }

    private String textual(Text text) {
        if (has("sign") || has("form") || has("comma") || part("align").equals("=") || !"s".startsWith(part("type"))) {
            throw unknown(text);
        }
        String s = text.value();
        int cut = has("precision") ? number("precision") : Integer.MAX_VALUE;
        return cut < Strings.length(s) ? s.substring(0, Strings.offset(s, cut)) : s;
    }

    private String numeric(Value value) {
        boolean real = Operators.isReal(value);
        String type = part("type").isEmpty() && !real ? "d" : part("type");
        String body = switch (type) {
            case "d" -> {
                if (real || has("precision")) {
                    throw unknown(value);
                }
                yield Operators.integer(value).toString();
            }
            case "b" -> {
                if (real) {
                    throw unknown(value);
                }
                String bits = Operators.integer(value).abs().toString(2);
                yield (Operators.integer(value).signum() < 0 ? "-" : "") + (has("form") ? "0b" : "") + bits;
            }
            case "x", "X", "o", "e", "E", "f", "F", "g", "G" -> percent(type, value);
            case "%" -> percent("f", new Value.Real(100 * Operators.real(value))) + "%";
            case "" -> {
                yield has("precision") ? general(value) : evaluator.str(value);
            }
            default -> throw unknown(value);
        };
        return has("comma") ? grouped(body, value) : body;
    }

    /** As {@code g}, with a digit behind the point. */
    private String general(Value value) {
        int precision = Math.max(1, number("precision"));
        String body = percent("g", value);
        if (!body.chars().allMatch(c -> c >= '0' && c <= '9' || c == '-')) {
            return body;
        }
        if (body.replace("-", "").length() < precision) {
            return body + ".0";
        }
        String[] parts = evaluator
                .str(evaluator
                        .operators()
                        .apply(Expression.Operator.MODULO, new Text("%." + (precision - 1) + "e"), Items.tuple(value)))
                .split("e", 2);
        String mantissa = parts[0].indexOf('.') < 0 ? parts[0] : parts[0].replaceFirst("\\.?0+$", "");
        return mantissa + "e" + parts[1];
    }

    /** Numbers are written as {@code %} does it. */
    private String percent(String type, Value value) {
        String format = "%" + part("form") + (has("precision") ? "." + part("precision") : "") + type;
        return evaluator.str(
                evaluator.operators().apply(Expression.Operator.MODULO, new Text(format), Items.tuple(value)));
    }

    private String grouped(String body, Value value) {
        if (has("zero") || !"dfF%".contains(part("type"))) {
            throw unknown(value);
        }
        int point = body.indexOf('.');
        StringBuilder grouped = new StringBuilder(body);
        for (int at = (point < 0 ? body.length() : point) - 3; at > (body.startsWith("-") ? 1 : 0); at -= 3) {
            grouped.insert(at, ',');
        }
        return grouped.toString();
    }

    private String padded(String sign, String body, String usual) {
        int missing = Math.max(0, number("width") - Strings.length(sign + body));
        evaluator.budget().text((long) missing + body.length());
        String fill = has("fill") ? part("fill") : has("zero") ? "0" : " ";
        String align = has("align") ? part("align") : has("zero") && usual.equals(">") ? "=" : usual;
        return switch (align) {
            case "<" -> sign + body + fill.repeat(missing);
            case "^" -> fill.repeat(missing / 2) + sign + body + fill.repeat(missing - missing / 2);
            case "=" -> sign + fill.repeat(missing) + body;
            default -> fill.repeat(missing) + sign + body;
        };
    }

    private TemplateFault unknown(Value value) {
        String code = part("type").isEmpty() ? written : part("type");
        return new TemplateFault("Unknown format code '" + code + "' for object of type '" + value.type() + "'");
    }

    private boolean has(String group) {
        return !part(group).isEmpty();
    }

    private String part(String group) {
        String found = spec.group(group);
        return found == null ? "" : found;
    }

    private int number(String group) {
        return has(group) ? Integer.parseInt(part(group)) : 0;
    }
}
