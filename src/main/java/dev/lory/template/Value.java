package dev.lory.template;

import java.math.BigInteger;
import java.util.Iterator;
import java.util.Optional;

/** A value with Python's meaning of it. All but {@link Stream} and what is {@link Native} are immutable, as in Jinja's sandbox. */
sealed interface Value
        permits Value.Undefined,
                Value.None,
                Value.Bool,
                Value.Int,
                Value.Real,
                Value.Text,
                Items,
                Dict,
                Value.Stream,
                Value.Native {

    /** Prints as nothing; whatever else is done to it fails with the message. */
    record Undefined(String message) implements Value {
        static Undefined name(String name) {
            return new Undefined("'" + name + "' is undefined");
        }
    }

    enum None implements Value {
        NONE
    }

    enum Bool implements Value {
        FALSE,
        TRUE;

        static Bool of(boolean value) {
            return value ? TRUE : FALSE;
        }

        boolean isTrue() {
            return this == TRUE;
        }
    }

    record Int(BigInteger value) implements Value {
        static Int of(long value) {
            return new Int(BigInteger.valueOf(value));
        }
    }

    record Real(double value) implements Value {}

    /** Comparable so that hash tables stay fast whatever keys a request brings. */
    record Text(String value) implements Value, Comparable<Text> {
        static final Text EMPTY = new Text("");

        @Override
        public int compareTo(Text other) {
            return value.compareTo(other.value);
        }
    }

    /** Items that are computed when asked for, and only once: Python's generator. */
    final class Stream implements Value {
        private final Iterator<Value> items;

        Stream(Iterator<Value> items) {
            this.items = items;
        }

        Iterator<Value> items() {
            return items;
        }
    }

    /** Something with behaviour: a function, a macro, a namespace, a loop. */
    non-sealed interface Native extends Value {
        /** As Python calls its type. */
        String typeName();

        default Optional<Value> attribute(String name) {
            return Optional.empty();
        }

        default boolean callable() {
            return false;
        }

        default Value call(Arguments arguments) {
            throw new TemplateFault("'" + typeName() + "' object is not callable");
        }
    }

    /** A function that a template may call. */
    record Function(String typeName, Body body) implements Native {
        /** What it does. */
        interface Body {
            Value call(Arguments arguments);
        }

        @Override
        public boolean callable() {
            return true;
        }

        @Override
        public Value call(Arguments arguments) {
            return body.call(arguments);
        }
    }

    /** The name of the type, as Python's error messages have it. */
    default String type() {
        return switch (this) {
            case Undefined u -> "Undefined";
            case None n -> "NoneType";
            case Bool b -> "bool";
            case Int i -> "int";
            case Real r -> "float";
            case Text t -> "str";
            case Items items -> items.kind().pythonName();
            case Dict d -> "dict";
            case Stream s -> "generator";
            case Native n -> n.typeName();
        };
    }

    /** Whether {@code if} takes it for true. */
    default boolean truthy() {
        return switch (this) {
            case Undefined u -> false;
            case None n -> false;
            case Bool b -> b.isTrue();
            case Int i -> i.value().signum() != 0;
            case Real r -> r.value() != 0;
            case Text t -> !t.value().isEmpty();
            case Items items -> !items.list().isEmpty();
            case Dict d -> d.size() > 0;
            case Stream s -> true;
            case Native n -> true;
        };
    }

    /** How many values it is made of, itself included, counting shared ones each time. */
    default long weight() {
        return switch (this) {
            case Items items -> items.measuredWeight();
            case Dict d -> d.measuredWeight();
            case Undefined u -> 1;
            case None n -> 1;
            case Bool b -> 1;
            case Int i -> 1;
            case Real r -> 1;
            case Text t -> 1;
            case Stream s -> 1;
            case Native n -> 1;
        };
    }

    /** How deep it is nested; 0 for what holds nothing. */
    default int depth() {
        return switch (this) {
            case Items items -> items.measuredDepth();
            case Dict d -> d.measuredDepth();
            case Undefined u -> 0;
            case None n -> 0;
            case Bool b -> 0;
            case Int i -> 0;
            case Real r -> 0;
            case Text t -> 0;
            case Stream s -> 0;
            case Native n -> 0;
        };
    }
}
