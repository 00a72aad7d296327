package dev.lory.template;

import dev.lory.template.Statement.Macro;
import dev.lory.template.Statement.Parameter;
import dev.lory.template.Value.Text;
import dev.lory.template.Value.Undefined;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** A macro together with the names it can see where it was defined. */
final class MacroValue implements Value.Native {
    private final Interpreter interpreter;
    private final Evaluator evaluator;
    private final Macro macro;
    private final Scope definedIn;

    MacroValue(Interpreter interpreter, Evaluator evaluator, Macro macro, Scope definedIn) {
        this.interpreter = interpreter;
        this.evaluator = evaluator;
        this.macro = macro;
        this.definedIn = definedIn;
    }

    @Override
    public String typeName() {
        return "jinja2.runtime.Macro";
    }

    @Override
    public boolean callable() {
        return true;
    }

    @Override
    public Optional<Value> attribute(String name) {
        return switch (name) {
            case "name" -> Optional.of(new Text(macro.name()));
            case "arguments" ->
                Optional.of(new Items(
                        Items.Kind.TUPLE,
                        macro.parameters().stream()
                                .map(p -> (Value) new Text(p.name()))
                                .toList()));
            default -> Optional.empty();
        };
    }

    @Override
    public Value call(Arguments arguments) {
        evaluator.budget().enter();
        Scope scope = definedIn.inner();
        Map<String, Value> named = new LinkedHashMap<>(arguments.named());
        List<Value> positional = arguments.positional();
        int taken = Math.min(positional.size(), macro.parameters().size());
        implicit(scope, named, positional.subList(taken, positional.size()));
        List<Parameter> unfilled = new ArrayList<>();
        for (int i = 0; i < macro.parameters().size(); i++) {
            Parameter parameter = macro.parameters().get(i);
            Value value = i < taken ? positional.get(i) : named.remove(parameter.name());
            if (value == null) {
                unfilled.add(parameter);
            } else {
                scope.set(parameter.name(), value);
            }
        }
        rest(scope, named);
        for (Parameter parameter : unfilled) {
            scope.set(
                    parameter.name(),
                    parameter.required()
                            ? new Undefined("parameter '" + parameter.name() + "' was not provided")
                            : evaluator.evaluate(parameter.fallback(), scope));
        }
        Value result = new Text(interpreter.macroBody(macro, scope));
        evaluator.budget().leave();
        return result;
    }

    private void implicit(Scope scope, Map<String, Value> named, List<Value> surplus) {
        if (macro.implicit().contains("caller")) {
            Value caller = named.remove("caller");
            scope.set("caller", caller == null ? new Undefined("No caller defined") : caller);
        }
        if (macro.implicit().contains("varargs")) {
            scope.set("varargs", new Items(Items.Kind.TUPLE, surplus));
        } else if (!surplus.isEmpty()) {
            throw new TemplateFault("macro '" + macro.name() + "' takes not more than "
                    + macro.parameters().size() + " argument(s)");
        }
    }

    private void rest(Scope scope, Map<String, Value> named) {
        if (macro.implicit().contains("kwargs")) {
            Dict.Builder rest = new Dict.Builder();
            named.forEach(rest::put);
            scope.set("kwargs", rest.build());
        } else if (!named.isEmpty()) {
            throw new TemplateFault("macro '" + macro.name() + "' takes no keyword argument '"
                    + named.keySet().iterator().next() + "'");
        }
    }
}
