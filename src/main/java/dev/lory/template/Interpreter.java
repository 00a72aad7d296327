package dev.lory.template;

import dev.lory.template.Statement.Macro;
import dev.lory.template.Statement.Target;
import dev.lory.template.Value.Text;
import dev.lory.template.Value.Undefined;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Statements to text, for one rendering. Loops, macros and blocks have a scope of their own; {@code if} has none. */
final class Interpreter {
    /** How a body ended. */
    private enum Flow {
        NORMAL,
        BREAK,
        CONTINUE
    }

    private final Evaluator evaluator;
    private final Budget budget;
    private Scope top = new Scope();
    private int line;

    Interpreter(Evaluator evaluator) {
        this.evaluator = evaluator;
        this.budget = evaluator.budget();
    }

    /** Where it is, or where it stopped. */
    int line() {
        return line;
    }

    String render(List<Statement> template, Scope scope) {
        top = scope;
        StringBuilder out = new StringBuilder();
        run(template, scope, out);
        return out.toString();
    }

    private Flow run(List<Statement> body, Scope scope, StringBuilder out) {
        budget.enter();
        Flow flow = Flow.NORMAL;
        for (Statement statement : body) {
            budget.spend(1);
            flow = run(statement, scope, out);
            if (flow != Flow.NORMAL) {
                break;
            }
        }
        budget.leave();
        return flow;
    }

    private Flow run(Statement statement, Scope scope, StringBuilder out) {
        return switch (statement) {
            case Statement.Data data -> print(data.text(), out);
            case Statement.Output output -> {
                line = output.line();
                yield print(evaluator.str(evaluator.evaluate(output.value(), scope)), out);
            }
            case Statement.If condition -> run(chosen(condition, scope), scope, out);
            case Statement.For loop -> {
                line = loop.line();
                Value iterable = evaluator.evaluate(loop.iterable(), scope);
                yield loop(loop, iterable, 0, scope, out);
            }
            case Statement.Assignment a -> {
                line = a.line();
                assign(a.target(), evaluator.evaluate(a.value(), scope), scope);
                yield Flow.NORMAL;
            }
            case Statement.BlockAssignment a -> {
                StringBuilder inner = new StringBuilder();
                Flow flow = run(a.body(), scope.inner(), inner);
                if (flow == Flow.NORMAL) {
                    line = a.line();
                    assign(a.target(), evaluator.steps(new Text(inner.toString()), a.filters(), scope), scope);
                }
                yield flow;
            }
            case Statement.FilterBlock f -> {
                StringBuilder inner = new StringBuilder();
                Flow flow = run(f.body(), scope.inner(), inner);
                if (flow == Flow.NORMAL) {
                    line = f.line();
                    print(evaluator.str(evaluator.steps(new Text(inner.toString()), f.filters(), scope)), out);
                }
                yield flow;
            }
            case Statement.With with -> {
                Scope inner = scope.inner();
                for (Statement.Assignment a : with.assignments()) {
                    line = a.line();
                    assign(a.target(), evaluator.evaluate(a.value(), scope), inner);
                }
                yield run(with.body(), inner, out);
            }
            case Statement.Scoped scoped -> run(scoped.body(), (scoped.fromTop() ? top : scope).inner(), out);
            case Statement.MacroDefinition definition -> {
                scope.set(definition.macro().name(), new MacroValue(this, evaluator, definition.macro(), scope));
                yield Flow.NORMAL;
            }
            case Statement.CallBlock call -> {
                line = call.line();
                print(evaluator.str(called(call, scope)), out);
                yield Flow.NORMAL;
            }
            case Statement.Break b -> Flow.BREAK;
            case Statement.Continue c -> Flow.CONTINUE;
        };
    }

    private Flow print(String text, StringBuilder out) {
        long length = (long) out.length() + text.length();
        budget.check(length);
        budget.spend(text.length() / 16);
        out.append(text);
        return Flow.NORMAL;
    }

    private List<Statement> chosen(Statement.If condition, Scope scope) {
        for (Statement.Branch branch : condition.branches()) {
            line = branch.line();
            if (evaluator.evaluate(branch.test(), scope).truthy()) {
                return branch.body();
            }
        }
        return condition.otherwise();
    }

    private Value called(Statement.CallBlock call, Scope scope) {
        Value callee = evaluator.evaluate(call.callee(), scope);
        Arguments arguments = evaluator.arguments(call.arguments(), scope);
        Map<String, Value> named = new LinkedHashMap<>(arguments.named());
        named.put("caller", new MacroValue(this, evaluator, call.caller(), scope));
        return Evaluator.call(callee, new Arguments(arguments.positional(), named));
    }

    /** Runs the body of a macro; the scope has its arguments. */
    String macroBody(Macro macro, Scope scope) {
        int calledFrom = line;
        StringBuilder out = new StringBuilder();
        run(macro.body(), scope, out);
        line = calledFrom;
        budget.text(out.length());
        return out.toString();
    }

    private Flow loop(Statement.For loop, Value iterable, int depth, Scope scope, StringBuilder out) {
        Iterator<Value> items = filtered(loop, evaluator.iterate(iterable), scope);
        LoopValue state = new LoopValue(evaluator, items, depth, inner -> {
            if (!loop.recursive()) {
                throw new TemplateFault("the loop is not marked 'recursive' and cannot be called");
            }
            StringBuilder nested = new StringBuilder();
            loop(loop, inner, depth + 1, scope, nested);
            return evaluator.text(nested.toString());
        });
        boolean completed = false;
        Flow flow = Flow.NORMAL;
        while (flow != Flow.BREAK && state.hasNext()) {
            budget.spend(1);
            Scope body = scope.inner();
            assign(loop.target(), state.next(), body);
            body.set("loop", state);
            flow = run(loop.body(), body, out);
            completed |= flow == Flow.NORMAL;
        }
        // As Jinja has it, a pass left by 'break' or 'continue' does not count.
        return completed ? Flow.NORMAL : run(loop.otherwise(), scope.inner(), out);
    }

    private Iterator<Value> filtered(Statement.For loop, Iterator<Value> items, Scope scope) {
        if (loop.filter() instanceof Expression.Literal literal && literal.value() == Value.Bool.TRUE) {
            return items;
        }
        return Streams.filtered(evaluator, items, item -> {
            Scope test = scope.inner();
            assign(loop.target(), item, test);
            return evaluator.evaluate(loop.filter(), test).truthy();
        });
    }

    private void assign(Target target, Value value, Scope scope) {
        switch (target) {
            case Statement.NameTarget name -> scope.set(name.name(), value);
            case Statement.AttributeTarget attribute -> {
                if (!(scope.get(attribute.namespace()) instanceof Namespace namespace)) {
                    throw new TemplateFault("cannot assign attribute on non-namespace object");
                }
                namespace.set(attribute.attribute(), value);
            }
            case Statement.TupleTarget tuple -> {
                List<Value> values = unpacked(value, tuple.targets().size());
                for (int i = 0; i < values.size(); i++) {
                    assign(tuple.targets().get(i), values.get(i), scope);
                }
            }
        }
    }

    private List<Value> unpacked(Value value, int wanted) {
        if (value instanceof Undefined u) {
            throw new TemplateFault(u.message());
        }
        boolean iterable = Tests.iterable(value);
        if (!iterable) {
            throw new TemplateFault("cannot unpack non-iterable " + value.type() + " object");
        }
        List<Value> values = new ArrayList<>();
        for (Iterator<Value> items = evaluator.iterate(value); items.hasNext(); ) {
            if (values.size() == wanted) {
                throw new TemplateFault("too many values to unpack (expected " + wanted + ")");
            }
            values.add(items.next());
        }
        if (values.size() < wanted) {
            throw new TemplateFault("not enough values to unpack (expected " + wanted + ", got " + values.size() + ")");
        }
        return values;
    }
}
