package dev.lory.template;

import dev.lory.template.Value.Text;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.RoundingMode;
import java.util.List;
import java.util.Optional;

/** Python's {@code '%s and %05.2f' % values}. */
final class PercentFormat {
    private static final int MAX_WIDTH = 10_000;

    private final Budget budget;
    private final PythonText text;

    PercentFormat(Budget budget, PythonText text) {
        this.budget = budget;
        this.text = text;
    }

    /** One {@code %-08.3f}. */
    private record Spec(String flags, int width, int precision, char type) {
        boolean has(char flag) {
            return flags.indexOf(flag) >= 0;
        }
    }

    String format(String format, Value values) {
        boolean tuple = values instanceof Items items && items.kind() == Items.Kind.TUPLE;
        List<Value> arguments = tuple ? ((Items) values).list() : List.of(values);
        int used = 0;
        StringBuilder out = new StringBuilder();
        for (int i = 0; i < format.length(); i++) {
            char c = format.charAt(i);
            if (c != '%') {
                out.append(c);
                continue;
            }
            if (format.startsWith("%%", i)) {
                out.append('%');
                i++;
                continue;
            }
            Optional<Value> byName = Optional.empty();
            if (format.startsWith("%(", i)) {
                int end = format.indexOf(')', i);
                if (end < 0) {
                    throw new TemplateFault("incomplete format key");
                }
                byName = Optional.of(named(values, format.substring(i + 2, end)));
                i = end;
            }
            int end = specEnd(format, i + 1);
            Spec spec = spec(format.substring(i + 1, end), format.charAt(end));
            if (byName.isEmpty() && used >= arguments.size()) {
                throw new TemplateFault("not enough arguments for format string");
            }
            Value value = byName.isPresent() ? byName.get() : arguments.get(used++);
            out.append(padded(spec, value));
            budget.check(out.length());
            i = end;
        }
        if (used < arguments.size() && (tuple || !subscriptable(values))) {
            throw new TemplateFault("not all arguments converted during string formatting");
        }
        budget.text(out.length());
        return out.toString();
    }

    /** What could have been asked for keys; surplus values of that kind are no error. */
    private static boolean subscriptable(Value values) {
        return values instanceof Dict || values instanceof Items || values instanceof Value.Undefined;
    }

    private static Value named(Value values, String key) {
        if (!(values instanceof Dict dict)) {
            throw new TemplateFault("format requires a mapping");
        }
        return dict.get(key).orElseThrow(() -> new TemplateFault(PythonText.quoted(key)));
    }

    private static int specEnd(String format, int from) {
        int i = from;
        while (i < format.length() && "#0- +.123456789".indexOf(format.charAt(i)) >= 0) {
            i++;
        }
        if (i == format.length()) {
            throw new TemplateFault("incomplete format");
        }
        return i;
    }

    private static Spec spec(String text, char type) {
        int i = 0;
        while (i < text.length() && "#0- +".indexOf(text.charAt(i)) >= 0) {
            i++;
        }
        int dot = text.indexOf('.');
        String width = text.substring(i, dot < 0 ? text.length() : dot);
        String precision = dot < 0 ? "" : text.substring(dot + 1);
        return new Spec(text.substring(0, i), number(width, 0), dot < 0 ? -1 : number(precision, 0), type);
    }

    private static int number(String digits, int fallback) {
        if (digits.isEmpty()) {
            return fallback;
        }
        if (digits.length() > 5
                || !digits.chars().allMatch(Character::isDigit)
                || Integer.parseInt(digits) > MAX_WIDTH) {
            throw new TemplateFault(
                    "'" + Strings.shortened(digits, 20) + "' is no width or precision up to " + MAX_WIDTH);
        }
        return Integer.parseInt(digits);
    }

    private String padded(Spec spec, Value value) {
        boolean numeric = "diufFeEgGxXo".indexOf(spec.type()) >= 0;
        String body = numeric ? numeric(spec, value) : textual(spec, value);
        String sign = "";
        if (numeric) {
            boolean negative = body.startsWith("-");
            sign = negative ? "-" : spec.has('+') ? "+" : spec.has(' ') ? " " : "";
            body = negative ? body.substring(1) : body;
        }
        int missing = Math.max(0, spec.width() - Strings.length(sign + body));
        if (spec.has('-')) {
            return sign + body + " ".repeat(missing);
        }
        return numeric && spec.has('0') ? sign + "0".repeat(missing) + body : " ".repeat(missing) + sign + body;
    }

    private String textual(Spec spec, Value value) {
        String s = switch (spec.type()) {
            case 's' -> text.str(value);
            case 'r' -> text.repr(value);
            case 'c' -> value instanceof Text t && Strings.length(t.value()) == 1 ? t.value() : character(value);
            default -> throw new TemplateFault("unsupported format character '" + spec.type() + "'");
        };
        int cut = spec.precision();
        return cut >= 0 && cut < Strings.length(s) ? s.substring(0, Strings.offset(s, cut)) : s;
    }

    private static String character(Value value) {
        int c = Operators.index(value);
        if (!Character.isValidCodePoint(c)) {
            throw new TemplateFault("%c arg not in range(0x110000)");
        }
        return Character.toString(c);
    }

    private String numeric(Spec spec, Value value) {
        if (!Operators.isNumber(value)) {
            Operators.defined(value);
            boolean whole = "diu".indexOf(spec.type()) >= 0;
            throw new TemplateFault(
                    whole
                            ? "%" + spec.type() + " format: a real number is required, not " + value.type()
                            : "xXo".indexOf(spec.type()) >= 0
                                    ? "%" + spec.type() + " format: an integer is required, not " + value.type()
                                    : "must be real number, not " + value.type());
        }
        return switch (spec.type()) {
            case 'd', 'i', 'u' -> atLeast(spec.precision(), truncated(value).toString());
            case 'x', 'X', 'o' -> radix(spec, value);
            default -> real(spec, Operators.real(value));
        };
    }

    private static BigInteger truncated(Value value) {
        if (!Operators.isReal(value)) {
            return Operators.integer(value);
        }
        double d = Operators.real(value);
        if (Double.isNaN(d) || Double.isInfinite(d)) {
            throw new TemplateFault("cannot convert float " + PythonText.number(d) + " to integer");
        }
        return new BigDecimal(d).toBigInteger();
    }

    private static String atLeast(int digits, String number) {
        boolean negative = number.startsWith("-");
        String body = negative ? number.substring(1) : number;
        return (negative ? "-" : "") + "0".repeat(Math.max(0, digits - body.length())) + body;
    }

    private static String radix(Spec spec, Value value) {
        if (Operators.isReal(value)) {
            throw new TemplateFault("%" + spec.type() + " format: an integer is required, not float");
        }
        int radix = spec.type() == 'o' ? 8 : 16;
        String digits = atLeast(spec.precision(), Operators.integer(value).toString(radix));
        String prefix = spec.has('#') ? "0" + spec.type() : "";
        String signed = digits.startsWith("-") ? "-" + prefix + digits.substring(1) : prefix + digits;
        return spec.type() == 'X' ? Strings.upper(signed) : signed;
    }

    private static String real(Spec spec, double d) {
        if (Double.isNaN(d) || Double.isInfinite(d)) {
            return PythonText.number(d);
        }
        int precision = spec.precision() < 0 ? 6 : spec.precision();
        String out = switch (Character.toLowerCase(spec.type())) {
            case 'f' -> fixed(d, precision);
            case 'e' -> exponential(d, precision);
            default -> general(d, Math.max(1, precision));
        };
        return Character.isUpperCase(spec.type()) ? Strings.upper(out) : out;
    }

    /** Correctly rounded from the exact value, halves to even, as C's printf does. */
    static String fixed(double d, int precision) {
        String digits = new BigDecimal(Math.abs(d))
                .setScale(precision, RoundingMode.HALF_EVEN)
                .toPlainString();
        return Math.copySign(1, d) < 0 ? "-" + digits : digits;
    }

    private static String exponential(double d, int precision) {
        if (d == 0) {
            return fixed(d, precision) + "e+00";
        }
        BigDecimal rounded = new BigDecimal(d).round(new java.math.MathContext(precision + 1, RoundingMode.HALF_EVEN));
        int exponent = rounded.precision() - rounded.scale() - 1;
        String mantissa = rounded.movePointLeft(exponent)
                .setScale(precision, RoundingMode.HALF_EVEN)
                .toPlainString();
        return mantissa + "e" + (exponent < 0 ? "-" : "+") + (Math.abs(exponent) < 10 ? "0" : "") + Math.abs(exponent);
    }

    private static String general(double d, int precision) {
        if (d == 0) {
            return Math.copySign(1, d) < 0 ? "-0" : "0";
        }
        BigDecimal rounded = new BigDecimal(d).round(new java.math.MathContext(precision, RoundingMode.HALF_EVEN));
        int exponent = rounded.precision() - rounded.scale() - 1;
        if (exponent >= -4 && exponent < precision) {
            return rounded.stripTrailingZeros().toPlainString();
        }
        String[] parts = exponential(d, precision - 1).split("e", -1);
        String mantissa = new BigDecimal(parts[0]).stripTrailingZeros().toPlainString();
        return mantissa + "e" + parts[1];
    }
}
