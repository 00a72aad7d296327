package dev.lory.template;

import dev.lory.error.ErrorCode;
import dev.lory.error.ServiceException;
import dev.lory.template.Value.Function;
import dev.lory.template.Value.Int;
import dev.lory.template.Value.None;
import dev.lory.template.Value.Text;
import java.time.Clock;
import java.time.ZonedDateTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** The functions every template can call: Jinja's and those that transformers adds. */
final class Globals {
    /** As Jinja's sandbox has it. */
    private static final int MAX_RANGE = 100_000;

    private static final class Cycler implements Value.Native {
        private final List<Value> items;
        private int at;

        Cycler(List<Value> items) {
            this.items = items;
        }

        @Override
        public String typeName() {
            return "jinja2.utils.Cycler";
        }

        @Override
        public Optional<Value> attribute(String name) {
            return switch (name) {
                case "current" -> Optional.of(items.get(at));
                case "next" ->
                    Optional.of(new Function("method", a -> {
                        Value item = items.get(at);
                        at = (at + 1) % items.size();
                        return item;
                    }));
                case "reset" ->
                    Optional.of(new Function("method", a -> {
                        at = 0;
                        return None.NONE;
                    }));
                default -> Optional.empty();
            };
        }
    }

    private final Evaluator evaluator;
    private final Clock clock;

    private Globals(Evaluator evaluator, Clock clock) {
        this.evaluator = evaluator;
        this.clock = clock;
    }

    static Scope scope(Evaluator evaluator, Clock clock) {
        Globals globals = new Globals(evaluator, clock);
        Scope scope = new Scope();
        scope.set("range", new Function("type", globals::range));
        scope.set("dict", new Function("type", globals::dict));
        scope.set("namespace", new Function("type", globals::namespace));
        scope.set("joiner", new Function("type", globals::joiner));
        scope.set("cycler", new Function("type", globals::cycler));
        scope.set("lipsum", new Function("function", a -> {
            throw new TemplateFault("lipsum() is not supported: a prompt must not be random");
        }));
        scope.set("raise_exception", new Function("function", globals::raise));
        scope.set("strftime_now", new Function("function", globals::now));
        return scope;
    }

    private Value range(Arguments arguments) {
        List<Value> given = arguments.positional();
        if (given.isEmpty() || given.size() > 3 || !arguments.named().isEmpty()) {
            throw new TemplateFault("range expected 1 to 3 arguments, got " + given.size());
        }
        long start = given.size() == 1 ? 0 : Operators.index(given.get(0));
        long stop = Operators.index(given.get(given.size() == 1 ? 0 : 1));
        long step = given.size() == 3 ? Operators.index(given.get(2)) : 1;
        if (step == 0) {
            throw new TemplateFault("range() arg 3 must not be zero");
        }
        long length = Math.max(0, step > 0 ? (stop - start + step - 1) / step : (start - stop - step - 1) / -step);
        if (length > MAX_RANGE) {
            throw new TemplateFault("Range too big. The sandbox blocks ranges larger than MAX_RANGE (100000).");
        }
        evaluator.budget().items(length);
        List<Value> values = new ArrayList<>((int) length);
        for (long i = 0; i < length; i++) {
            values.add(Int.of(start + i * step));
        }
        return new Items(Items.Kind.RANGE, values);
    }

    private Value dict(Arguments arguments) {
        Dict.Builder dict = new Dict.Builder();
        if (arguments.positional().size() > 1) {
            throw new TemplateFault("dict expected at most 1 argument, got "
                    + arguments.positional().size());
        }
        for (Value source : arguments.positional()) {
            if (source instanceof Dict other) {
                evaluator.budget().items(other.size());
                dict.putAll(other);
                continue;
            }
            for (Value pair : evaluator.list(source)) {
                List<Value> parts = evaluator.list(pair);
                if (parts.size() != 2) {
                    throw new TemplateFault("dict() wants pairs but found one of " + parts.size() + " values");
                }
                dict.put(parts.get(0), parts.get(1));
            }
        }
        arguments.named().forEach(dict::put);
        return dict.build();
    }

    private Value namespace(Arguments arguments) {
        Namespace namespace = new Namespace();
        Dict dict = (Dict) dict(arguments);
        for (Value key : dict.keys()) {
            namespace.set(evaluator.str(key), dict.get(key).orElseThrow());
        }
        return namespace;
    }

    /** Gives nothing the first time, then the separator. */
    private Value joiner(Arguments arguments) {
        Value separator = arguments.bind("joiner", "sep").or("sep", new Text(", "));
        Namespace used = new Namespace();
        return new Function("jinja2.utils.Joiner", a -> {
            boolean first = used.attribute("used").isEmpty();
            used.set("used", separator);
            return first ? Text.EMPTY : separator;
        });
    }

    /** Gives its items in turn, from the first again after the last. */
    private Value cycler(Arguments arguments) {
        if (arguments.positional().isEmpty()) {
            throw new TemplateFault("at least one item has to be provided");
        }
        return new Cycler(arguments.positional());
    }

    private Value raise(Arguments arguments) {
        Value message = arguments.bind("raise_exception", "message").required("message");
        throw new ServiceException(ErrorCode.INVALID_TEMPLATE, Strings.shortened(evaluator.str(message), 2000));
    }

    private Value now(Arguments arguments) {
        String format = arguments.bind("strftime_now", "format").text("format");
        if (format.length() > 1000) {
            throw new TemplateFault("strftime_now() takes a format of at most 1000 characters");
        }
        return evaluator.text(Strftime.format(ZonedDateTime.now(clock), format));
    }
}
