package dev.lory.template;

import dev.lory.template.Value.Bool;
import dev.lory.template.Value.Int;
import dev.lory.template.Value.None;
import dev.lory.template.Value.Real;
import dev.lory.template.Value.Text;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Plain Java values of a request, as values of the template language. */
final class JsonValues {
    private long characters;
    private int depth;

    /** How many characters, and values, were read so far. */
    long size() {
        return characters;
    }

    /** @throws TemplateFault when it is no JSON value, or nested too deeply */
    Value read(Object value) {
        return nullable(value);
    }

    /** Gives the names of a map their values. */
    void define(Map<String, @Nullable Object> names, Scope scope) {
        names.forEach((name, value) -> scope.set(name, nullable(value)));
    }

    private Value nullable(@Nullable Object value) {
        characters++;
        return switch (value) {
            case null -> None.NONE;
            case String s -> {
                characters += s.length();
                yield new Text(s);
            }
            case Boolean b -> Bool.of(b);
            case Integer i -> Int.of(i);
            case Long l -> Int.of(l);
            case Short s -> Int.of(s);
            case BigInteger i -> new Int(i);
            case Double d -> new Real(d);
            case Float f -> new Real(f);
            case BigDecimal d -> new Real(d.doubleValue());
            case List<?> list -> list(list);
            case Map<?, ?> map -> dict(map);
            default ->
                throw new TemplateFault(
                        "messages hold a " + value.getClass().getSimpleName() + ", which is no JSON value");
        };
    }

    private Value list(List<?> list) {
        enter();
        List<Value> values = new ArrayList<>(list.size());
        for (Object item : list) {
            values.add(nullable(item));
        }
        depth--;
        return Items.list(values);
    }

    private Value dict(Map<?, ?> map) {
        enter();
        Dict.Builder dict = new Dict.Builder();
        for (Map.Entry<?, ?> entry : map.entrySet()) {
            dict.put(nullable(entry.getKey()), nullable(entry.getValue()));
        }
        depth--;
        return dict.build();
    }

    private void enter() {
        if (++depth > Items.MAX_DEPTH) {
            throw new TemplateFault("messages or tools are nested deeper than " + Items.MAX_DEPTH);
        }
    }
}
