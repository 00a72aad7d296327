package dev.lory.template;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Python's {@code 'text {} {0!r} {name[item]:>5}'.format(..)}. */
final class BraceFormat {
    private static final Pattern STEP = Pattern.compile("\\.(?<attribute>[^.\\[!{}]+)|\\[(?<item>[^\\]{}]+)]");
    private static final Pattern PATH =
            Pattern.compile("(?<name>[^.\\[!{}]*)(?<steps>(?:\\.[^.\\[!{}]+|\\[[^\\]{}]+])*)");

    private final Evaluator evaluator;
    private final Arguments arguments;
    private int next;
    private boolean numbered;

    BraceFormat(Evaluator evaluator, Arguments arguments) {
        this.evaluator = evaluator;
        this.arguments = arguments;
    }

    String format(String format) {
        StringBuilder out = new StringBuilder();
        for (int i = 0; i < format.length(); i++) {
            char c = format.charAt(i);
            if (format.startsWith("{{", i) || format.startsWith("}}", i)) {
                out.append(c);
                i++;
            } else if (c == '}') {
                throw new TemplateFault("Single '}' encountered in format string");
            } else if (c == '{') {
                int end = fieldEnd(format, i + 1);
                out.append(written(format.substring(i + 1, end)));
                evaluator.budget().check(out.length());
                i = end;
            } else {
                out.append(c);
            }
        }
        return out.toString();
    }

    /** Where the field that begins there ends; its specification may hold fields of its own. */
    private static int fieldEnd(String format, int from) {
        int depth = 0;
        for (int i = from; i < format.length(); i++) {
            char c = format.charAt(i);
            if (c == '}' && depth-- == 0) {
                return i;
            }
            depth += c == '{' ? 1 : 0;
        }
        throw new TemplateFault("expected '}' before end of string");
    }

    /** One field, without its braces. */
    private String written(String field) {
        int colon = field.indexOf(':');
        String named = colon < 0 ? field : field.substring(0, colon);
        Value value = converted(named);
        if (colon < 0) {
            return evaluator.str(value);
        }
        StringBuilder spec = new StringBuilder();
        for (int i = colon + 1; i < field.length(); i++) {
            if (field.charAt(i) == '{') {
                int end = fieldEnd(field, i + 1);
                spec.append(evaluator.str(converted(field.substring(i + 1, end))));
                i = end;
            } else {
                spec.append(field.charAt(i));
            }
        }
        return new FormatSpec(evaluator, spec.toString()).format(value);
    }

    private Value converted(String named) {
        String name = named.substring(0, Math.max(0, named.length() - 2));
        if (named.endsWith("!r")) {
            return evaluator.text(evaluator.repr(path(name)));
        }
        return named.endsWith("!s") ? evaluator.text(evaluator.str(path(name))) : path(named);
    }

    /** {@code name}, {@code 0.attribute}, {@code name[item][0]}. */
    private Value path(String written) {
        Matcher path = PATH.matcher(written);
        if (!path.matches()) {
            throw new TemplateFault("format() does not understand the field {" + Strings.shortened(written, 40) + "}");
        }
        Value value = field(path.group("name"));
        Matcher step = STEP.matcher(path.group("steps"));
        while (step.find()) {
            String item = step.group("item");
            value = item == null
                    ? evaluator.attribute(value, step.group("attribute"))
                    : evaluator.item(
                            value, isNumber(item) ? Value.Int.of(Integer.parseInt(item)) : new Value.Text(item));
        }
        return value;
    }

    private static boolean isNumber(String s) {
        return !s.isEmpty() && s.length() < 10 && s.chars().allMatch(c -> c >= '0' && c <= '9');
    }

    private Value field(String name) {
        boolean number = isNumber(name);
        if (!name.isEmpty() && !number) {
            Value value = arguments.named().get(name);
            if (value == null) {
                throw new TemplateFault(PythonText.quoted(name));
            }
            return value;
        }
        if (number && next > 0 || name.isEmpty() && numbered) {
            throw new TemplateFault("format() cannot mix {} and {0}");
        }
        numbered |= number;
        int index = number ? Integer.parseInt(name) : next++;
        if (index >= arguments.positional().size()) {
            throw new TemplateFault("Replacement index " + index + " out of range for positional args tuple");
        }
        return arguments.positional().get(index);
    }
}
