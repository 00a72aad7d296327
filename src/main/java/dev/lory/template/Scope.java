package dev.lory.template;

import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Names and their values; a name not found here is looked for outside. Assignments stay inside. */
final class Scope {
    private final @Nullable Scope outside;
    private final Map<String, Value> names = new HashMap<>();

    /** The outermost. */
    Scope() {
        this.outside = null;
    }

    private Scope(Scope outside) {
        this.outside = outside;
    }

    Scope inner() {
        return new Scope(this);
    }

    void set(String name, Value value) {
        names.put(name, value);
    }

    Value get(String name) {
        for (Scope scope = this; scope != null; scope = scope.outside) {
            Value value = scope.names.get(name);
            if (value != null) {
                return value;
            }
        }
        return Value.Undefined.name(name);
    }
}
