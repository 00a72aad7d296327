package dev.lory.template;

import java.util.Collections;
import java.util.List;

/** A list, or what else holds values in order. */
final class Items implements Value {
    /** Nested deeper or made of more values than this, a value is refused: what walks over values stays bounded. */
    static final int MAX_DEPTH = 100;

    static final long MAX_WEIGHT = 2_000_000;

    enum Kind {
        LIST("list", true),
        TUPLE("tuple", true),
        /** A tuple of {@code groupby}: its parts are also called {@code grouper} and {@code list}. */
        GROUP("tuple", true),
        RANGE("range", true),
        KEYS("dict_keys", false),
        VALUES("dict_values", false),
        PAIRS("dict_items", false);

        private final String pythonName;
        private final boolean indexed;

        Kind(String pythonName, boolean indexed) {
            this.pythonName = pythonName;
            this.indexed = indexed;
        }

        String pythonName() {
            return pythonName;
        }

        /** Whether {@code x[0]} is possible. */
        boolean indexed() {
            return indexed;
        }
    }

    private final Kind kind;
    private final List<Value> list;
    private final long weight;
    private final int depth;

    /** @param list not changed afterwards; it is not copied */
    Items(Kind kind, List<Value> list) {
        this.kind = kind;
        this.list = Collections.unmodifiableList(list);
        long sum = 1;
        int deepest = 0;
        for (Value value : list) {
            sum += value.weight();
            deepest = Math.max(deepest, value.depth());
        }
        this.weight = sum;
        this.depth = deepest + 1;
        check(weight, depth);
    }

    static void check(long weight, int depth) {
        if (depth > MAX_DEPTH) {
            throw new TemplateFault("values are nested deeper than " + MAX_DEPTH);
        }
        if (weight > MAX_WEIGHT) {
            throw new TemplateFault("a list or dict holds more than " + MAX_WEIGHT + " values");
        }
    }

    static Items list(List<Value> values) {
        return new Items(Kind.LIST, values);
    }

    static Items tuple(Value... values) {
        return new Items(Kind.TUPLE, List.of(values));
    }

    Kind kind() {
        return kind;
    }

    List<Value> list() {
        return list;
    }

    long measuredWeight() {
        return weight;
    }

    int measuredDepth() {
        return depth;
    }

    /** As keys of a {@link Dict} need it; the language's own {@code ==} is {@link Operators#equal}. */
    @Override
    public boolean equals(Object other) {
        return other instanceof Items items && kind == items.kind && list.equals(items.list);
    }

    @Override
    public int hashCode() {
        return list.hashCode();
    }
}
