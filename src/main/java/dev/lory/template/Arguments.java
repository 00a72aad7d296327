package dev.lory.template;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The values a function, filter, test or macro is called with. */
record Arguments(List<Value> positional, Map<String, Value> named) {
    Arguments {
        positional = List.copyOf(positional);
        named = Collections.unmodifiableMap(new LinkedHashMap<>(named));
    }

    /** Without the first positional ones. */
    Arguments from(int index) {
        return new Arguments(positional.subList(Math.min(index, positional.size()), positional.size()), named);
    }

    /** Gives each value its parameter's name. */
    Bound bind(String function, String... parameters) {
        if (positional.size() > parameters.length) {
            throw new TemplateFault(function + "() takes at most " + parameters.length + " arguments ("
                    + positional.size() + " given)");
        }
        Map<String, Value> values = new LinkedHashMap<>();
        for (int i = 0; i < positional.size(); i++) {
            values.put(parameters[i], positional.get(i));
        }
        List<String> known = List.of(parameters);
        named.forEach((name, value) -> {
            if (!known.contains(name)) {
                throw new TemplateFault(function + "() got an unexpected keyword argument '" + name + "'");
            }
            if (values.put(name, value) != null) {
                throw new TemplateFault(function + "() got multiple values for argument '" + name + "'");
            }
        });
        return new Bound(function, values);
    }

    /** Arguments by parameter name. */
    record Bound(String function, Map<String, Value> values) {
        Bound {
            values = Map.copyOf(values);
        }

        boolean has(String parameter) {
            return values.containsKey(parameter) && values.get(parameter) != Value.None.NONE;
        }

        Value required(String parameter) {
            Value value = values.get(parameter);
            if (value == null) {
                throw new TemplateFault(function + "() misses its argument '" + parameter + "'");
            }
            return value;
        }

        Value or(String parameter, Value fallback) {
            return values.getOrDefault(parameter, fallback);
        }

        boolean flag(String parameter, boolean fallback) {
            return or(parameter, Value.Bool.of(fallback)).truthy();
        }

        /** A whole number that fits an int; larger ones become the nearest int. */
        int integer(String parameter, int fallback) {
            return values.containsKey(parameter) ? Operators.index(required(parameter)) : fallback;
        }

        String text(String parameter) {
            return text(required(parameter));
        }

        String text(String parameter, String fallback) {
            return has(parameter) ? text(required(parameter)) : fallback;
        }

        private String text(Value value) {
            return switch (value) {
                case Value.Text t -> t.value();
                case Value.Undefined u -> throw new TemplateFault(u.message());
                case Value.None n -> throw wrong(n);
                case Value.Bool b -> throw wrong(b);
                case Value.Int i -> throw wrong(i);
                case Value.Real r -> throw wrong(r);
                case Items i -> throw wrong(i);
                case Dict d -> throw wrong(d);
                case Value.Stream s -> throw wrong(s);
                case Value.Native n -> throw wrong(n);
            };
        }

        private TemplateFault wrong(Value value) {
            return new TemplateFault(function + "() wants text but was given a " + value.type());
        }
    }
}
