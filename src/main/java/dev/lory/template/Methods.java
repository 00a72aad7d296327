package dev.lory.template;

import dev.lory.template.Value.Int;
import dev.lory.template.Value.None;
import dev.lory.template.Value.Text;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** The methods of Python's str, list and dict that templates may call; those that change an object are not among them. */
final class Methods {
    private static final Set<String> CHANGING = Set.of(
            "append",
            "clear",
            "extend",
            "insert",
            "pop",
            "popitem",
            "remove",
            "reverse",
            "setdefault",
            "sort",
            "update");

    /** A method of a text. */
    interface TextMethod {
        Value call(Evaluator evaluator, String self, Arguments arguments);
    }

    private final Evaluator evaluator;

    Methods(Evaluator evaluator) {
        this.evaluator = evaluator;
    }

    /** Whether Python has such a method and the sandbox forbids it. */
    static boolean changes(Value value, String name) {
        return (value instanceof Dict || value instanceof Items items && items.kind() == Items.Kind.LIST)
                && CHANGING.contains(name);
    }

    Optional<Value> ofText(Text text, String name) {
        evaluator.budget().read(text);
        TextMethod method = TextMethods.TABLE.get(name);
        return method == null
                ? Optional.empty()
                : Optional.of(
                        new Value.Function("builtin_function_or_method", a -> method.call(evaluator, text.value(), a)));
    }

    Optional<Value> ofItems(Items items, String name) {
        if (items.kind() == Items.Kind.GROUP && (name.equals("grouper") || name.equals("list"))) {
            return Optional.of(items.list().get(name.equals("grouper") ? 0 : 1));
        }
        boolean listOrTuple = items.kind() == Items.Kind.LIST || items.kind() == Items.Kind.TUPLE;
        if (!listOrTuple) {
            return Optional.empty();
        }
        return switch (name) {
            case "index" -> function(a -> index(items, a.bind("index", "value").required("value")));
            case "count" ->
                function(a -> {
                    Value wanted = a.bind("count", "value").required("value");
                    return Int.of(items.list().stream()
                            .filter(v -> evaluator.operators().equal(v, wanted))
                            .count());
                });
            case "copy" -> items.kind() == Items.Kind.LIST ? function(a -> items) : Optional.empty();
            default -> Optional.empty();
        };
    }

    private Value index(Items items, Value wanted) {
        for (int i = 0; i < items.list().size(); i++) {
            if (evaluator.operators().equal(items.list().get(i), wanted)) {
                return Int.of(i);
            }
        }
        throw new TemplateFault(evaluator.repr(wanted) + " is not in list");
    }

    Optional<Value> ofDict(Dict dict, String name) {
        return switch (name) {
            case "get" ->
                function(a -> {
                    Arguments.Bound bound = a.bind("get", "key", "default");
                    return dict.get(bound.required("key")).orElse(bound.or("default", None.NONE));
                });
            case "items" -> view(dict, Items.Kind.PAIRS);
            case "keys" -> view(dict, Items.Kind.KEYS);
            case "values" -> view(dict, Items.Kind.VALUES);
            case "copy" -> function(a -> dict);
            default -> Optional.empty();
        };
    }

    private Optional<Value> view(Dict dict, Items.Kind kind) {
        return function(a -> {
            evaluator.budget().items(dict.size());
            return new Items(
                    kind,
                    switch (kind) {
                        case KEYS -> dict.keys();
                        case VALUES -> dict.values();
                        case LIST, TUPLE, GROUP, RANGE, PAIRS -> dict.pairs();
                    });
        });
    }

    private static Optional<Value> function(Value.Function.Body body) {
        return Optional.of(new Value.Function("builtin_function_or_method", body));
    }

    /** As {@code str.replace}; the length is checked before the text is made. */
    static Value replaced(Evaluator evaluator, String s, String old, String with, int limit) {
        List<Integer> places = new ArrayList<>();
        for (int at = Search.first(s, old, 0); at >= 0 && (limit < 0 || places.size() < limit); ) {
            places.add(at);
            int next = old.isEmpty() ? at + step(s, at) : at + old.length();
            at = next > s.length() ? -1 : Search.first(s, old, next);
        }
        evaluator.budget().text(s.length() + (long) places.size() * Math.max(0, with.length() - old.length()));
        StringBuilder out = new StringBuilder();
        int from = 0;
        for (int at : places) {
            out.append(s, from, at).append(with);
            from = at + old.length();
        }
        return new Text(out.append(s, from, s.length()).toString());
    }

    private static int step(String s, int at) {
        return at < s.length() ? Character.charCount(s.codePointAt(at)) : 1;
    }
}
