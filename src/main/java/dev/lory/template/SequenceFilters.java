package dev.lory.template;

import dev.lory.template.Filters.Filter;
import dev.lory.template.Value.Int;
import dev.lory.template.Value.Stream;
import dev.lory.template.Value.Text;
import dev.lory.template.Value.Undefined;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;

/** Filters on lists, dicts and streams. */
final class SequenceFilters {
    static final Map<String, Filter> TABLE = Map.ofEntries(
            Filters.plain("list", (e, v) -> Items.list(e.list(v))),
            Filters.plain("first", (e, v) -> first(e, v)),
            Filters.plain("last", (e, v) -> last(e, v)),
            Filters.plain("items", (e, v) -> pairs(e, v)),
            Filters.plain("reverse", (e, v) -> reverse(e, v)),
            Map.entry("sort", SequenceFilters::sort),
            Map.entry("dictsort", SequenceFilters::dictsort),
            Map.entry("groupby", SequenceFilters::groupby),
            Map.entry("unique", SequenceFilters::unique),
            Map.entry("min", (e, v, a) -> extreme(e, v, a, 1)),
            Map.entry("max", (e, v, a) -> extreme(e, v, a, -1)),
            Map.entry("sum", SequenceFilters::sum),
            Map.entry("batch", SequenceFilters::batch),
            Map.entry("slice", SequenceFilters::slice),
            Map.entry("map", SequenceFilters::map),
            Map.entry("select", (e, v, a) -> selected(e, v, test(e, a), true)),
            Map.entry("reject", (e, v, a) -> selected(e, v, test(e, a), false)),
            Map.entry("selectattr", (e, v, a) -> selected(e, v, attributeTest(e, a), true)),
            Map.entry("rejectattr", (e, v, a) -> selected(e, v, attributeTest(e, a), false)));

    private SequenceFilters() {}

    /** {@code a.b.0} of a value, each part an item first; an integer is an index. */
    static Value dotted(Evaluator evaluator, Value value, Value path) {
        if (!(path instanceof Text text)) {
            return evaluator.item(value, path);
        }
        Value found = value;
        for (String part : text.value().split("\\.", -1)) {
            boolean index =
                    !part.isEmpty() && part.length() < 10 && part.chars().allMatch(c -> c >= '0' && c <= '9');
            found = evaluator.item(found, index ? Int.of(Integer.parseInt(part)) : new Text(part));
        }
        return found;
    }

    private static Value first(Evaluator evaluator, Value value) {
        Iterator<Value> items = evaluator.iterate(value);
        return items.hasNext() ? items.next() : new Undefined("No first item, sequence was empty.");
    }

    private static Value last(Evaluator evaluator, Value value) {
        if (value instanceof Stream) {
            throw new TemplateFault("'generator' object is not reversible");
        }
        List<Value> items = evaluator.list(value);
        return items.isEmpty() ? new Undefined("No last item, sequence was empty.") : items.getLast();
    }

    private static Value pairs(Evaluator evaluator, Value value) {
        if (value instanceof Dict dict) {
            evaluator.budget().items(dict.size());
            return new Stream(dict.pairs().iterator());
        }
        if (value instanceof Undefined) {
            return new Stream(Collections.emptyIterator());
        }
        throw new TemplateFault("Can only get item pairs from a mapping.");
    }

    private static Value reverse(Evaluator evaluator, Value value) {
        if (value instanceof Text t) {
            return evaluator.text(new StringBuilder(t.value()).reverse().toString());
        }
        List<Value> items = evaluator.list(value);
        Collections.reverse(items);
        return value instanceof Stream ? Items.list(items) : new Stream(items.iterator());
    }

    private static Value sort(Evaluator evaluator, Value value, Arguments arguments) {
        Arguments.Bound a = arguments.bind("sort", "reverse", "case_sensitive", "attribute");
        boolean caseSensitive = a.flag("case_sensitive", false);
        UnaryOperator<Value> key = v -> folded(v, caseSensitive);
        if (a.has("attribute")) {
            Value attribute = a.required("attribute");
            String[] paths = attribute instanceof Text t ? t.value().split(",", -1) : new String[0];
            key = paths.length < 2
                    ? v -> folded(dotted(evaluator, v, attribute), caseSensitive)
                    : v -> {
                        List<Value> keys = new ArrayList<>();
                        for (String path : paths) {
                            keys.add(folded(dotted(evaluator, v, new Text(path)), caseSensitive));
                        }
                        return Items.list(keys);
                    };
        }
        return Items.list(sorted(evaluator, evaluator.list(value), key, a.flag("reverse", false)));
    }

    private static Value folded(Value value, boolean caseSensitive) {
        return !caseSensitive && value instanceof Text t ? new Text(Strings.lower(t.value())) : value;
    }

    /** Stable, also in reverse: equal items keep their order. */
    private static List<Value> sorted(
            Evaluator evaluator, List<Value> items, UnaryOperator<Value> key, boolean reverse) {
        record Keyed(Value key, Value item) {}
        List<Keyed> keyed = new ArrayList<>();
        items.forEach(item -> keyed.add(new Keyed(key.apply(item), item)));
        Comparator<Keyed> order = (x, y) -> evaluator.operators().compare(x.key(), y.key(), "<");
        try {
            keyed.sort(reverse ? order.reversed() : order);
        } catch (IllegalArgumentException e) {
            throw new TemplateFault("items that are not numbers have no order");
        }
        return new ArrayList<>(keyed.stream().map(Keyed::item).toList());
    }

    private static Value dictsort(Evaluator evaluator, Value value, Arguments arguments) {
        Arguments.Bound a = arguments.bind("dictsort", "case_sensitive", "by", "reverse");
        String by = a.text("by", "key");
        if (!by.equals("key") && !by.equals("value")) {
            throw new TemplateFault("You can only sort by either \"key\" or \"value\"");
        }
        if (!(Operators.defined(value) instanceof Dict dict)) {
            throw new TemplateFault("'" + value.type() + " object' has no attribute 'items'");
        }
        evaluator.budget().items(dict.size());
        int part = by.equals("key") ? 0 : 1;
        boolean caseSensitive = a.flag("case_sensitive", false);
        UnaryOperator<Value> key = pair -> folded(((Items) pair).list().get(part), caseSensitive);
        return Items.list(sorted(evaluator, dict.pairs(), key, a.flag("reverse", false)));
    }

    /** Pairs of a key and the items that have it, sorted by the key; the first item says how it is spelled. */
    private static Value groupby(Evaluator evaluator, Value value, Arguments arguments) {
        Arguments.Bound a = arguments.bind("groupby", "attribute", "default", "case_sensitive");
        boolean caseSensitive = a.flag("case_sensitive", false);
        Value path = a.required("attribute");
        UnaryOperator<Value> spelled = item -> {
            Value found = dotted(evaluator, item, path);
            return found instanceof Undefined && a.has("default") ? a.required("default") : found;
        };
        UnaryOperator<Value> key = item -> folded(spelled.apply(item), caseSensitive);
        List<Value> groups = new ArrayList<>();
        List<Value> group = new ArrayList<>();
        List<Value> items = evaluator.list(value);
        // The attribute of each item is looked up several times.
        evaluator.budget().spend(8L * items.size());
        for (Value item : sorted(evaluator, items, key, false)) {
            if (!group.isEmpty() && !evaluator.operators().equal(key.apply(group.getFirst()), key.apply(item))) {
                groups.add(group(spelled.apply(group.getFirst()), group));
                group = new ArrayList<>();
            }
            group.add(item);
        }
        if (!group.isEmpty()) {
            groups.add(group(spelled.apply(group.getFirst()), group));
        }
        return Items.list(groups);
    }

    private static Value group(Value key, List<Value> items) {
        return new Items(Items.Kind.GROUP, List.of(key, Items.list(items)));
    }

    private static Value unique(Evaluator evaluator, Value value, Arguments arguments) {
        Arguments.Bound a = arguments.bind("unique", "case_sensitive", "attribute");
        Dict.Builder seen = new Dict.Builder();
        for (Value item : evaluator.list(value)) {
            Value key = a.has("attribute") ? dotted(evaluator, item, a.required("attribute")) : item;
            evaluator.budget().spend(key.weight());
            seen.putIfAbsent(folded(key, a.flag("case_sensitive", false)), item);
        }
        return new Stream(seen.build().values().iterator());
    }

    private static Value extreme(Evaluator evaluator, Value value, Arguments arguments, int sign) {
        Arguments.Bound a = arguments.bind(sign > 0 ? "min" : "max", "case_sensitive", "attribute");
        boolean caseSensitive = a.flag("case_sensitive", false);
        Value best = new Undefined("No aggregated item, sequence was empty.");
        Value bestKey = best;
        boolean any = false;
        for (Value item : evaluator.list(value)) {
            Value plain = a.has("attribute") ? dotted(evaluator, item, a.required("attribute")) : item;
            Value key = folded(plain, caseSensitive);
            if (!any || sign * evaluator.operators().compare(key, bestKey, sign > 0 ? "<" : ">") < 0) {
                best = item;
                bestKey = key;
            }
            any = true;
        }
        return best;
    }

    private static Value sum(Evaluator evaluator, Value value, Arguments arguments) {
        Arguments.Bound a = arguments.bind("sum", "attribute", "start");
        Value total = a.or("start", Int.of(0));
        if (total instanceof Text) {
            throw new TemplateFault("sum() can't sum strings [use ''.join(seq) instead]");
        }
        for (Value item : evaluator.list(value)) {
            Value term = a.has("attribute") ? dotted(evaluator, item, a.required("attribute")) : item;
            total = evaluator.operators().apply(Expression.Operator.ADD, total, term);
        }
        return total;
    }

    private static Value batch(Evaluator evaluator, Value value, Arguments arguments) {
        Arguments.Bound a = arguments.bind("batch", "linecount", "fill_with");
        int size = Operators.index(a.required("linecount"));
        List<Value> batches = new ArrayList<>();
        List<Value> batch = new ArrayList<>();
        for (Value item : evaluator.list(value)) {
            if (batch.size() == size) {
                batches.add(Items.list(batch));
                batch = new ArrayList<>();
            }
            batch.add(item);
        }
        if (!batch.isEmpty()) {
            evaluator.budget().items(Math.max(0, size));
            while (a.has("fill_with") && batch.size() < size) {
                batch.add(a.required("fill_with"));
            }
            batches.add(Items.list(batch));
        }
        return new Stream(batches.iterator());
    }

    private static Value slice(Evaluator evaluator, Value value, Arguments arguments) {
        Arguments.Bound a = arguments.bind("slice", "slices", "fill_with");
        int slices = Operators.index(a.required("slices"));
        if (slices < 1) {
            throw new TemplateFault("slice() needs at least one slice, got " + slices);
        }
        evaluator.budget().items(slices);
        List<Value> items = evaluator.list(value);
        int each = items.size() / slices;
        int longer = items.size() % slices;
        List<Value> out = new ArrayList<>();
        int from = 0;
        for (int i = 0; i < slices; i++) {
            int to = from + each + (i < longer ? 1 : 0);
            List<Value> part = new ArrayList<>(items.subList(from, to));
            if (a.has("fill_with") && i >= longer) {
                part.add(a.required("fill_with"));
            }
            out.add(Items.list(part));
            from = to;
        }
        return new Stream(out.iterator());
    }

    /** What is false holds nothing: {@code none | map(..)} is empty. */
    private static Iterator<Value> items(Evaluator evaluator, Value value) {
        return value.truthy() ? evaluator.iterate(value) : Collections.emptyIterator();
    }

    private static Value map(Evaluator evaluator, Value value, Arguments arguments) {
        if (arguments.positional().isEmpty()) {
            Arguments.Bound a = arguments.bind("map", "attribute", "default");
            Value path = a.required("attribute");
            return Streams.mapped(evaluator, items(evaluator, value), item -> {
                Value found = dotted(evaluator, item, path);
                return found instanceof Undefined && a.has("default") ? a.required("default") : found;
            });
        }
        String name = name(arguments, "filter");
        Arguments rest = arguments.from(1);
        if (!Filters.known(name)) {
            throw new TemplateFault(Filters.unknown(name));
        }
        return Streams.mapped(evaluator, items(evaluator, value), item -> Filters.apply(evaluator, name, item, rest));
    }

    private static String name(Arguments arguments, String what) {
        if (arguments.positional().getFirst() instanceof Text t) {
            return t.value();
        }
        throw new TemplateFault("the name of a " + what + " must be text, not "
                + arguments.positional().getFirst().type());
    }

    private static Value selected(Evaluator evaluator, Value value, Predicate<Value> test, boolean wanted) {
        return new Stream(Streams.filtered(evaluator, items(evaluator, value), v -> test.test(v) == wanted));
    }

    private static Predicate<Value> test(Evaluator evaluator, Arguments arguments) {
        if (arguments.positional().isEmpty()) {
            return Value::truthy;
        }
        String name = name(arguments, "test");
        Arguments rest = arguments.from(1);
        if (!Tests.known(name)) {
            throw new TemplateFault("there is no test named '" + name + "'");
        }
        return value -> Tests.holds(evaluator, name, value, rest);
    }

    private static Predicate<Value> attributeTest(Evaluator evaluator, Arguments arguments) {
        if (arguments.positional().isEmpty()) {
            throw new TemplateFault("Missing parameter for attribute name");
        }
        Value attribute = arguments.positional().getFirst();
        Predicate<Value> test = test(evaluator, arguments.from(1));
        return value -> test.test(dotted(evaluator, value, attribute));
    }
}
