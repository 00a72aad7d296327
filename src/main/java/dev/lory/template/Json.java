package dev.lory.template;

import dev.lory.template.Value.Bool;
import dev.lory.template.Value.Int;
import dev.lory.template.Value.Native;
import dev.lory.template.Value.None;
import dev.lory.template.Value.Real;
import dev.lory.template.Value.Stream;
import dev.lory.template.Value.Text;
import dev.lory.template.Value.Undefined;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The {@code tojson} of transformers: Python's {@code json.dumps}, not escaped for HTML. */
final class Json {
    private final Budget budget;
    private final Operators operators;
    private final boolean ascii;
    private final boolean sorted;
    private final @Nullable String indent;
    private final String itemSeparator;
    private final String keySeparator;
    private final StringBuilder out = new StringBuilder();

    private Json(Budget budget, Operators operators, Arguments.Bound settings) {
        this.budget = budget;
        this.operators = operators;
        this.ascii = settings.flag("ensure_ascii", false);
        this.sorted = settings.flag("sort_keys", false);
        this.indent = settings.has("indent") ? indent(settings.required("indent")) : null;
        if (!settings.has("separators")) {
            this.itemSeparator = indent != null ? "," : ", ";
            this.keySeparator = ": ";
        } else if (settings.required("separators") instanceof Items pair
                && pair.list().size() == 2
                && pair.list().get(0) instanceof Text item
                && pair.list().get(1) instanceof Text key) {
            this.itemSeparator = item.value();
            this.keySeparator = key.value();
        } else {
            throw new TemplateFault("tojson wants two texts as separators");
        }
    }

    static Value dump(Budget budget, Operators operators, Value value, Arguments arguments) {
        Json json = new Json(
                budget, operators, arguments.bind("tojson", "ensure_ascii", "indent", "separators", "sort_keys"));
        json.write(value, 0);
        budget.text(json.out.length());
        return new Text(json.out.toString());
    }

    private static String indent(Value value) {
        return value instanceof Text t ? t.value() : " ".repeat(Math.clamp(Operators.index(value), 0, 1000));
    }

    private void write(Value value, int level) {
        budget.spend(1);
        budget.check(out.length());
        switch (value) {
            case Text t -> string(t.value());
            case None n -> out.append("null");
            case Bool b -> out.append(b.isTrue());
            case Int i -> out.append(i.value());
            case Real r -> out.append(number(r.value()));
            case Dict d -> dict(d, level);
            case Items items -> {
                switch (items.kind()) {
                    case LIST, TUPLE, GROUP -> list(items.list(), level);
                    case RANGE, KEYS, VALUES, PAIRS -> throw unserialisable(items);
                }
            }
            case Undefined u -> throw unserialisable(u);
            case Stream s -> throw unserialisable(s);
            case Native n -> throw unserialisable(n);
        }
    }

    private static TemplateFault unserialisable(Value value) {
        return new TemplateFault("Object of type " + value.type() + " is not JSON serializable");
    }

    private static String number(double d) {
        if (Double.isNaN(d)) {
            return "NaN";
        }
        return Double.isInfinite(d) ? d > 0 ? "Infinity" : "-Infinity" : PythonText.number(d);
    }

    private void list(List<Value> values, int level) {
        out.append('[');
        boolean first = true;
        for (Value value : values) {
            separate(first, level + 1);
            write(value, level + 1);
            first = false;
        }
        close(first, level, ']');
    }

    private void dict(Dict dict, int level) {
        List<Value> keys = dict.keys();
        if (sorted) {
            keys = new ArrayList<>(keys);
            keys.sort((a, b) -> operators.compare(a, b, "<"));
        }
        out.append('{');
        boolean first = true;
        for (Value key : keys) {
            separate(first, level + 1);
            string(key(key));
            out.append(keySeparator);
            write(dict.get(key).orElseThrow(), level + 1);
            first = false;
        }
        close(first, level, '}');
    }

    private static String key(Value key) {
        return switch (key) {
            case Text t -> t.value();
            case None n -> "null";
            case Bool b -> b.isTrue() ? "true" : "false";
            case Int i -> i.value().toString();
            case Real r -> number(r.value());
            case Items items -> throw badKey(items);
            case Dict d -> throw badKey(d);
            case Undefined u -> throw badKey(u);
            case Stream s -> throw badKey(s);
            case Native n -> throw badKey(n);
        };
    }

    private static TemplateFault badKey(Value key) {
        return new TemplateFault("keys must be str, int, float, bool or None, not " + key.type());
    }

    private void separate(boolean first, int level) {
        if (!first) {
            out.append(itemSeparator);
        }
        newLine(level);
    }

    private void close(boolean empty, int level, char bracket) {
        if (!empty) {
            newLine(level);
        }
        out.append(bracket);
    }

    private void newLine(int level) {
        if (indent != null) {
            out.append('\n').repeat(indent, level);
        }
    }

    private void string(String s) {
        budget.spend(s.length() / 16);
        out.append('"');
        for (int i = 0; i < s.length(); i++) {
            char c = s.charAt(i);
            switch (c) {
                case '"' -> out.append("\\\"");
                case '\\' -> out.append("\\\\");
                case '\n' -> out.append("\\n");
                case '\r' -> out.append("\\r");
                case '\t' -> out.append("\\t");
                case '\b' -> out.append("\\b");
                case '\f' -> out.append("\\f");
                default -> {
                    if (c < 0x20 || ascii && c > 0x7e) {
                        out.append(String.format("\\u%04x", (int) c));
                    } else {
                        out.append(c);
                    }
                }
            }
        }
        out.append('"');
    }
}
