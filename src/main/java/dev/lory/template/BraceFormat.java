package dev.lory.template;

/** Python's {@code 'text {} {0!r} {name:>5}'.format(..)}, without attributes, items and fields inside specifications. */
final class BraceFormat {
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
                int end = format.indexOf('}', i);
                if (end < 0) {
                    throw new TemplateFault("expected '}' before end of string");
                }
                out.append(written(format.substring(i + 1, end)));
                evaluator.budget().check(out.length());
                i = end;
            } else {
                out.append(c);
            }
        }
        return out.toString();
    }

    /** One field, without its braces. */
    private String written(String field) {
        int colon = field.indexOf(':');
        String named = colon < 0 ? field : field.substring(0, colon);
        Value value = converted(named);
        return colon < 0 ? evaluator.str(value) : new FormatSpec(evaluator, field.substring(colon + 1)).format(value);
    }

    private Value converted(String named) {
        String name = named.substring(0, Math.max(0, named.length() - 2));
        if (named.endsWith("!r")) {
            return evaluator.text(evaluator.repr(field(name)));
        }
        return named.endsWith("!s") ? evaluator.text(evaluator.str(field(name))) : field(named);
    }

    private Value field(String name) {
        if (name.chars().anyMatch(c -> ".[!{".indexOf(c) >= 0)) {
            throw new TemplateFault("format() understands {}, {0} and {name}, not " + "{" + name + "}");
        }
        boolean number = !name.isEmpty() && name.length() < 10 && name.chars().allMatch(c -> c >= '0' && c <= '9');
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
