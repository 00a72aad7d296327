package dev.lory.template;

import dev.lory.template.Value.Bool;
import dev.lory.template.Value.Int;
import dev.lory.template.Value.Native;
import dev.lory.template.Value.None;
import dev.lory.template.Value.Real;
import dev.lory.template.Value.Stream;
import dev.lory.template.Value.Text;
import dev.lory.template.Value.Undefined;
import java.math.BigDecimal;
import java.util.List;

/** Values as Python's {@code str} and {@code repr} write them. */
final class PythonText {
    private final Budget budget;

    PythonText(Budget budget) {
        this.budget = budget;
    }

    /** As {@code {{ value }}} prints it. */
    String str(Value value) {
        return switch (value) {
            case Text t -> t.value();
            case Undefined u -> "";
            case None n -> "None";
            case Bool b -> bool(b);
            case Int i -> i.value().toString();
            case Real r -> number(r.value());
            case Items items -> repr(items);
            case Dict d -> repr(d);
            case Stream s -> throw unprintable(s);
            case Native n -> throw unprintable(n);
        };
    }

    /** As Python shows a value inside a list. */
    String repr(Value value) {
        StringBuilder out = new StringBuilder();
        append(out, value);
        budget.text(out.length());
        return out.toString();
    }

    private void append(StringBuilder out, Value value) {
        budget.spend(1);
        budget.check(out.length());
        switch (value) {
            case Text t -> quote(out, t.value());
            case Undefined u -> out.append("Undefined");
            case None n -> out.append("None");
            case Bool b -> out.append(bool(b));
            case Int i -> out.append(i.value());
            case Real r -> out.append(number(r.value()));
            case Items items -> appendItems(out, items);
            case Dict d -> appendDict(out, d);
            case Stream s -> throw unprintable(s);
            case Native n -> throw unprintable(n);
        }
    }

    private void appendItems(StringBuilder out, Items items) {
        switch (items.kind()) {
            case LIST -> appendAll(out, "[", items.list(), "]");
            case TUPLE, GROUP -> appendAll(out, "(", items.list(), items.list().size() == 1 ? ",)" : ")");
            case KEYS, VALUES, PAIRS -> appendAll(out, items.kind().pythonName() + "([", items.list(), "])");
            case RANGE -> throw unprintable(items);
        }
    }

    private void appendAll(StringBuilder out, String open, List<Value> values, String close) {
        out.append(open);
        String separator = "";
        for (Value value : values) {
            out.append(separator);
            append(out, value);
            separator = ", ";
        }
        out.append(close);
    }

    private void appendDict(StringBuilder out, Dict dict) {
        out.append('{');
        String separator = "";
        for (Value key : dict.keys()) {
            out.append(separator);
            append(out, key);
            out.append(": ");
            append(out, dict.get(key).orElseThrow());
            separator = ", ";
        }
        out.append('}');
    }

    /** Python prints an address or an internal; nobody wants that in a prompt. */
    private static TemplateFault unprintable(Value value) {
        return new TemplateFault("a " + value.type() + " cannot be printed (is '| list' or a call missing?)");
    }

    private static String bool(Bool b) {
        return b.isTrue() ? "True" : "False";
    }

    /** As {@code repr(float)}: the shortest digits that read back as the same number. */
    static String number(double d) {
        if (Double.isNaN(d)) {
            return "nan";
        }
        if (Double.isInfinite(d)) {
            return d > 0 ? "inf" : "-inf";
        }
        if (d == 0) {
            return Math.copySign(1, d) < 0 ? "-0.0" : "0.0";
        }
        BigDecimal shortest = new BigDecimal(Double.toString(d)).stripTrailingZeros();
        int exponent = shortest.precision() - shortest.scale() - 1;
        if (exponent >= -4 && exponent < 16) {
            String plain = shortest.toPlainString();
            return plain.indexOf('.') < 0 ? plain + ".0" : plain;
        }
        String digits = shortest.unscaledValue().abs().toString();
        String fraction = digits.length() > 1 ? "." + digits.substring(1) : "";
        String magnitude = Math.abs(exponent) < 10 ? "0" + Math.abs(exponent) : "" + Math.abs(exponent);
        return (d < 0 ? "-" : "") + digits.charAt(0) + fraction + "e" + (exponent < 0 ? "-" : "+") + magnitude;
    }

    static String quoted(String s) {
        StringBuilder out = new StringBuilder();
        quote(out, s);
        return out.toString();
    }

    private static void quote(StringBuilder out, String s) {
        char quote = s.indexOf('\'') >= 0 && s.indexOf('"') < 0 ? '"' : '\'';
        out.append(quote);
        for (int i = 0; i < s.length(); ) {
            int c = s.codePointAt(i);
            i += Character.charCount(c);
            switch (c) {
                case '\n' -> out.append("\\n");
                case '\r' -> out.append("\\r");
                case '\t' -> out.append("\\t");
                case '\\' -> out.append("\\\\");
                default -> {
                    if (c == quote) {
                        out.append('\\').append(quote);
                    } else if (isPrintable(c)) {
                        out.appendCodePoint(c);
                    } else {
                        out.append(
                                c < 0x100
                                        ? String.format("\\x%02x", c)
                                        : c < 0x10000 ? String.format("\\u%04x", c) : String.format("\\U%08x", c));
                    }
                }
            }
        }
        out.append(quote);
    }

    static boolean isPrintable(int c) {
        return switch (Character.getType(c)) {
            case Character.CONTROL,
                    Character.FORMAT,
                    Character.SURROGATE,
                    Character.PRIVATE_USE,
                    Character.UNASSIGNED,
                    Character.LINE_SEPARATOR,
                    Character.PARAGRAPH_SEPARATOR -> false;
            case Character.SPACE_SEPARATOR -> c == ' ';
            default -> true;
        };
    }
}
