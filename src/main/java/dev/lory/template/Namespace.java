package dev.lory.template;

import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/** What {@code namespace()} makes: the one thing a loop can change for those outside it. */
final class Namespace implements Value.Native {
    private final Map<String, Value> attributes = new HashMap<>();

    void set(String name, Value value) {
        attributes.put(name, value);
    }

    @Override
    public String typeName() {
        return "jinja2.utils.Namespace";
    }

    @Override
    public Optional<Value> attribute(String name) {
        return Optional.ofNullable(attributes.get(name));
    }
}
