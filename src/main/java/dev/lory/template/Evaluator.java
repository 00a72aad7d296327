package dev.lory.template;

import dev.lory.template.Expression.CallArguments;
import dev.lory.template.Expression.Step;
import dev.lory.template.Value.Bool;
import dev.lory.template.Value.Int;
import dev.lory.template.Value.Native;
import dev.lory.template.Value.None;
import dev.lory.template.Value.Real;
import dev.lory.template.Value.Stream;
import dev.lory.template.Value.Text;
import dev.lory.template.Value.Undefined;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Expressions to values, for one rendering. */
final class Evaluator {
    private final Budget budget;
    private final PythonText text;
    private final Operators operators;
    private final Methods methods;

    Evaluator(Budget budget) {
        this.budget = budget;
        this.text = new PythonText(budget);
        this.operators = new Operators(budget, text);
        this.methods = new Methods(this);
    }

    Budget budget() {
        return budget;
    }

    Operators operators() {
        return operators;
    }

    String str(Value value) {
        return text.str(value);
    }

    String repr(Value value) {
        return text.repr(value);
    }

    Text text(String s) {
        budget.text(s.length());
        return new Text(s);
    }

    Value evaluate(Expression expression, Scope scope) {
        budget.spend(1);
        budget.enter();
        Value value = switch (expression) {
            case Expression.Literal literal -> literal.value();
            case Expression.Name name -> scope.get(name.name());
            case Expression.ItemsLiteral items -> new Items(items.kind(), all(items.items(), scope));
            case Expression.DictLiteral dict -> dict(dict, scope);
            case Expression.Conditional c ->
                evaluate(evaluate(c.test(), scope).truthy() ? c.then() : c.otherwise(), scope);
            case Expression.NoElse e ->
                new Undefined("the inline if-expression on line " + e.line()
                        + " evaluated to false and no else section was defined.");
            case Expression.Or or -> firstWith(true, or.operands(), scope);
            case Expression.And and -> firstWith(false, and.operands(), scope);
            case Expression.Not not -> Bool.of(!evaluate(not.operand(), scope).truthy());
            case Expression.Comparison comparison -> comparison(comparison, scope);
            case Expression.Arithmetic arithmetic -> arithmetic(arithmetic, scope);
            case Expression.Concatenation c -> concatenation(c, scope);
            case Expression.Sign sign -> operators.signed(sign.negative(), evaluate(sign.operand(), scope));
            case Expression.Chain chain -> steps(evaluate(chain.base(), scope), chain.steps(), scope);
        };
        budget.leave();
        return value;
    }

    private List<Value> all(List<Expression> expressions, Scope scope) {
        List<Value> values = new ArrayList<>(expressions.size());
        for (Expression expression : expressions) {
            values.add(evaluate(expression, scope));
        }
        return values;
    }

    private Value dict(Expression.DictLiteral literal, Scope scope) {
        Dict.Builder dict = new Dict.Builder();
        for (Expression.Pair pair : literal.pairs()) {
            Value key = evaluate(pair.key(), scope);
            dict.put(key, evaluate(pair.value(), scope));
        }
        return dict.build();
    }

    private Value firstWith(boolean truth, List<Expression> operands, Scope scope) {
        Value value = Bool.FALSE;
        for (Expression operand : operands) {
            value = evaluate(operand, scope);
            if (value.truthy() == truth) {
                return value;
            }
        }
        return value;
    }

    private Value comparison(Expression.Comparison comparison, Scope scope) {
        Value left = evaluate(comparison.first(), scope);
        for (Expression.Comparand comparand : comparison.rest()) {
            Value right = evaluate(comparand.operand(), scope);
            if (!operators.holds(comparand.relation(), left, right)) {
                return Bool.FALSE;
            }
            left = right;
        }
        return Bool.TRUE;
    }

    private Value arithmetic(Expression.Arithmetic arithmetic, Scope scope) {
        Value value = evaluate(arithmetic.first(), scope);
        for (Expression.Operand operand : arithmetic.rest()) {
            value = operators.apply(operand.operator(), value, evaluate(operand.value(), scope));
        }
        return value;
    }

    private Value concatenation(Expression.Concatenation concatenation, Scope scope) {
        List<Value> values = all(concatenation.operands(), scope);
        StringBuilder out = new StringBuilder();
        for (Value value : values) {
            out.append(str(value));
            budget.check(out.length());
        }
        return text(out.toString());
    }

    Value steps(Value base, List<Step> steps, Scope scope) {
        Value value = base;
        for (Step step : steps) {
            budget.spend(1);
            value = step(value, step, scope);
        }
        return value;
    }

    private Value step(Value value, Step step, Scope scope) {
        return switch (step) {
            case Expression.Attribute attribute -> attribute(value, attribute.name());
            case Expression.Subscript subscript -> item(value, evaluate(subscript.key(), scope));
            case Expression.Slice slice ->
                Sequences.slice(
                        this,
                        value,
                        evaluate(slice.start(), scope),
                        evaluate(slice.stop(), scope),
                        evaluate(slice.step(), scope));
            case Expression.Call call -> {
                Arguments arguments = arguments(call.arguments(), scope);
                arguments.positional().forEach(budget::read);
                yield call(value, arguments);
            }
            case Expression.FilterStep filter -> {
                Arguments arguments = arguments(filter.arguments(), scope);
                yield Filters.apply(this, filter.name(), value, arguments);
            }
            case Expression.TestStep test -> {
                Arguments arguments = arguments(test.arguments(), scope);
                yield Bool.of(Tests.holds(this, test.name(), value, arguments) != test.negated());
            }
        };
    }

    Arguments arguments(CallArguments call, Scope scope) {
        List<Value> positional = all(call.positional(), scope);
        for (Expression spread : call.spread()) {
            iterate(evaluate(spread, scope)).forEachRemaining(positional::add);
        }
        Map<String, Value> named = new LinkedHashMap<>();
        for (Expression.Keyword keyword : call.named()) {
            named.put(keyword.name(), evaluate(keyword.value(), scope));
        }
        for (Expression spread : call.namedSpread()) {
            if (!(evaluate(spread, scope) instanceof Dict dict)) {
                throw new TemplateFault("argument after ** must be a mapping");
            }
            for (Value key : dict.keys()) {
                named.put(str(key), dict.get(key).orElseThrow());
            }
        }
        return new Arguments(positional, named);
    }

    static Value call(Value callee, Arguments arguments) {
        Operators.defined(callee);
        if (callee instanceof Native n && n.callable()) {
            return n.call(arguments);
        }
        throw new TemplateFault("'" + callee.type() + "' object is not callable");
    }

    /** {@code value.name}: what Python calls an attribute first, then an item. */
    Value attribute(Value value, String name) {
        Optional<Value> method = method(value, name);
        if (method.isPresent()) {
            return method.get();
        }
        return value instanceof Dict dict && !Methods.changes(value, name)
                ? dict.get(name).orElseGet(() -> missing(value, name))
                : missing(value, name);
    }

    /** {@code value[key]}: an item first, then an attribute. */
    Value item(Value value, Value key) {
        budget.read(value);
        Optional<Value> item = Sequences.item(value, key);
        if (item.isPresent()) {
            return item.get();
        }
        if (key instanceof Text name) {
            return method(value, name.value()).orElseGet(() -> missing(value, name.value()));
        }
        return new Undefined(Strings.shortened(describe(value) + " has no element " + repr(key), 1000));
    }

    private Optional<Value> method(Value value, String name) {
        return switch (value) {
            case Undefined u -> throw new TemplateFault(u.message());
            case Native n -> n.attribute(name);
            case Text t -> methods.ofText(t, name);
            case Items items -> methods.ofItems(items, name);
            case Dict dict -> methods.ofDict(dict, name);
            case None n -> Optional.empty();
            case Bool b -> Optional.empty();
            case Int i -> Optional.empty();
            case Real r -> Optional.empty();
            case Stream s -> Optional.empty();
        };
    }

    private static Undefined missing(Value value, String name) {
        if (name.startsWith("__") || Methods.changes(value, name)) {
            return new Undefined("access to attribute '" + name + "' of '" + value.type() + "' object is unsafe.");
        }
        return new Undefined("'" + describe(value) + "' has no attribute '" + name + "'");
    }

    private static String describe(Value value) {
        return value == None.NONE ? "None" : value.type() + " object";
    }

    /** @throws TemplateFault for what cannot be iterated over */
    Iterator<Value> iterate(Value value) {
        return switch (value) {
            case Items items -> items.list().iterator();
            case Dict dict -> {
                budget.spend(dict.size());
                yield dict.keys().iterator();
            }
            case Text t ->
                t.value()
                        .codePoints()
                        .mapToObj(c -> (Value) new Text(Character.toString(c)))
                        .iterator();
            case Stream s -> s.items();
            case Undefined u -> Collections.emptyIterator();
            case None n -> throw notIterable(n);
            case Bool b -> throw notIterable(b);
            case Int i -> throw notIterable(i);
            case Real r -> throw notIterable(r);
            case Native n -> throw notIterable(n);
        };
    }

    private static TemplateFault notIterable(Value value) {
        return new TemplateFault("'" + value.type() + "' object is not iterable");
    }

    /** All items of what can be iterated over; each costs a step. */
    List<Value> list(Value value) {
        List<Value> values = new ArrayList<>();
        for (Iterator<Value> items = iterate(value); items.hasNext(); ) {
            values.add(items.next());
            budget.items(1);
            if (values.size() > Items.MAX_WEIGHT) {
                budget.items(values.size());
            }
        }
        return values;
    }

    /** As Python's {@code len}. */
    static int length(Value value) {
        return switch (value) {
            case Items items -> items.list().size();
            case Dict dict -> dict.size();
            case Text t -> Strings.length(t.value());
            case Undefined u -> 0;
            case None n -> throw noLength(n);
            case Bool b -> throw noLength(b);
            case Int i -> throw noLength(i);
            case Real r -> throw noLength(r);
            case Stream s -> throw noLength(s);
            case Native n -> throw noLength(n);
        };
    }

    private static TemplateFault noLength(Value value) {
        return new TemplateFault("object of type '" + value.type() + "' has no len()");
    }
}
