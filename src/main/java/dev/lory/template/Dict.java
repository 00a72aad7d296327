package dev.lory.template;

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** A dict in the order of its keys' first appearance. Keys that Python takes for equal, such as 1, 1.0 and true, are one. */
final class Dict implements Value {
    private record Entry(Value key, Value value) {}

    private final Map<Value, Entry> entries;
    private final long weight;
    private final int depth;

    private Dict(Map<Value, Entry> entries) {
        this.entries = entries;
        long sum = 1;
        int deepest = 0;
        for (Entry entry : entries.values()) {
            sum += entry.key().weight() + entry.value().weight();
            deepest = Math.max(
                    deepest, Math.max(entry.key().depth(), entry.value().depth()));
        }
        this.weight = sum;
        this.depth = deepest + 1;
        Items.check(weight, depth);
    }

    /** Collects entries; a key that comes again keeps its place and takes the new value. */
    static final class Builder {
        private final Map<Value, Entry> entries = new LinkedHashMap<>();

        Builder put(Value key, Value value) {
            Value hashed = hashed(key);
            Entry before = entries.get(hashed);
            entries.put(hashed, new Entry(before == null ? key : before.key(), value));
            return this;
        }

        Builder putIfAbsent(Value key, Value value) {
            entries.putIfAbsent(hashed(key), new Entry(key, value));
            return this;
        }

        Builder put(String key, Value value) {
            return put(new Text(key), value);
        }

        Builder putAll(Dict other) {
            other.entries.forEach((hashed, entry) -> put(entry.key(), entry.value()));
            return this;
        }

        Dict build() {
            return new Dict(new LinkedHashMap<>(entries));
        }
    }

    int size() {
        return entries.size();
    }

    /** @throws TemplateFault when the key is a list or dict, which Python cannot hash */
    Optional<Value> get(Value key) {
        Entry entry = entries.get(hashed(key));
        return entry == null ? Optional.empty() : Optional.of(entry.value());
    }

    Optional<Value> get(String key) {
        return get(new Text(key));
    }

    List<Value> keys() {
        return new ArrayList<>(entries.values().stream().map(Entry::key).toList());
    }

    List<Value> values() {
        return new ArrayList<>(entries.values().stream().map(Entry::value).toList());
    }

    List<Value> pairs() {
        List<Value> pairs = new ArrayList<>(entries.size());
        entries.values().forEach(e -> pairs.add(Items.tuple(e.key(), e.value())));
        return pairs;
    }

    long measuredWeight() {
        return weight;
    }

    int measuredDepth() {
        return depth;
    }

    /** One form for all keys that are equal in Python. */
    private static Value hashed(Value key) {
        return switch (key) {
            case Text t -> t;
            case Int i -> i;
            case Bool b -> Int.of(b.isTrue() ? 1 : 0);
            case Real r ->
                r.value() == Math.rint(r.value()) && !Double.isInfinite(r.value())
                        ? new Int(new BigDecimal(r.value()).toBigInteger())
                        : r;
            case None n -> n;
            case Undefined u -> new Undefined("");
            case Stream s -> s;
            case Native n -> n;
            case Items items -> {
                if (items.kind() != Items.Kind.TUPLE) {
                    throw unhashable(items);
                }
                yield new Items(
                        Items.Kind.TUPLE,
                        items.list().stream().map(Dict::hashed).toList());
            }
            case Dict d -> throw unhashable(d);
        };
    }

    private static TemplateFault unhashable(Value key) {
        return new TemplateFault("unhashable type: '" + key.type() + "'");
    }
}
