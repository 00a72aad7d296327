package dev.lory.template;

import dev.lory.template.Expression.Relation;
import dev.lory.template.Value.Bool;
import dev.lory.template.Value.Int;
import dev.lory.template.Value.None;
import dev.lory.template.Value.Real;
import dev.lory.template.Value.Text;
import dev.lory.template.Value.Undefined;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** The tests, {@code value is name(arguments)}, as Jinja defines them. */
final class Tests {
    /** What a test asks. */
    interface Test {
        boolean holds(Evaluator evaluator, Value value, Arguments arguments);
    }

    private static final Set<String> TAKING_ONE = Set.of(
            "divisibleby",
            "sameas",
            "eq",
            "equalto",
            "==",
            "ne",
            "!=",
            "lt",
            "lessthan",
            "<",
            "le",
            "<=",
            "gt",
            "greaterthan",
            ">",
            "ge",
            ">=",
            "in");
    private static final Map<String, Test> TABLE = table();

    private Tests() {}

    private static Map<String, Test> table() {
        Map<String, Test> table = new HashMap<>();
        table.put("defined", (e, v, a) -> !(v instanceof Undefined));
        table.put("undefined", (e, v, a) -> v instanceof Undefined);
        table.put("none", (e, v, a) -> v == None.NONE);
        table.put("boolean", (e, v, a) -> v instanceof Bool);
        table.put("true", (e, v, a) -> v == Bool.TRUE);
        table.put("false", (e, v, a) -> v == Bool.FALSE);
        table.put("integer", (e, v, a) -> v instanceof Int);
        table.put("float", (e, v, a) -> v instanceof Real);
        table.put("number", (e, v, a) -> Operators.isNumber(v));
        table.put("string", (e, v, a) -> v instanceof Text);
        table.put("mapping", (e, v, a) -> v instanceof Dict);
        table.put("sequence", (e, v, a) -> sequence(v));
        table.put("iterable", (e, v, a) -> iterable(v));
        table.put("callable", (e, v, a) -> v instanceof Undefined || v instanceof Value.Native n && n.callable());
        table.put("escaped", (e, v, a) -> false);
        table.put("filter", (e, v, a) -> v instanceof Text t && Filters.known(t.value()));
        table.put("test", (e, v, a) -> v instanceof Text t && known(t.value()));
        table.put("lower", (e, v, a) -> Strings.isAll(e.str(v), false));
        table.put("upper", (e, v, a) -> Strings.isAll(e.str(v), true));
        table.put("odd", (e, v, a) -> remainder(e, v, Int.of(2), Int.of(1)));
        table.put("even", (e, v, a) -> remainder(e, v, Int.of(2), Int.of(0)));
        table.put(
                "divisibleby",
                (e, v, a) -> remainder(e, v, a.bind("divisibleby", "num").required("num"), Int.of(0)));
        table.put("sameas", (e, v, a) -> same(e, v, a.bind("sameas", "other").required("other")));
        relation(table, Relation.EQUAL, "eq", "equalto", "==");
        relation(table, Relation.NOT_EQUAL, "ne", "!=");
        relation(table, Relation.LESS, "lt", "lessthan", "<");
        relation(table, Relation.LESS_OR_EQUAL, "le", "<=");
        relation(table, Relation.GREATER, "gt", "greaterthan", ">");
        relation(table, Relation.GREATER_OR_EQUAL, "ge", ">=");
        relation(table, Relation.IN, "in");
        return Map.copyOf(table);
    }

    private static void relation(Map<String, Test> table, Relation relation, String... names) {
        for (String name : List.of(names)) {
            table.put(
                    name,
                    (e, v, a) -> e.operators()
                            .holds(relation, v, a.bind(name, "other").required("other")));
        }
    }

    static boolean known(String name) {
        return TABLE.containsKey(name);
    }

    static boolean holds(Evaluator evaluator, String name, Value value, Arguments arguments) {
        Test test = TABLE.get(name);
        if (test == null) {
            throw new TemplateFault("there is no test named '" + name + "'");
        }
        if (!TAKING_ONE.contains(name)) {
            arguments.bind(name);
        }
        evaluator.budget().read(value);
        return test.holds(evaluator, value, arguments);
    }

    private static boolean remainder(Evaluator evaluator, Value value, Value divisor, Value wanted) {
        Value rest = evaluator.operators().apply(Expression.Operator.MODULO, value, divisor);
        return evaluator.operators().equal(rest, wanted);
    }

    /** Python's {@code is}; small values that are equal are taken for the same. */
    private static boolean same(Evaluator evaluator, Value a, Value b) {
        boolean small = a instanceof Text || a instanceof Int || a instanceof Real || a instanceof Undefined;
        return a == b
                || small
                        && a.getClass() == b.getClass()
                        && evaluator.operators().equal(a, b);
    }

    private static boolean sequence(Value value) {
        return value instanceof Text
                || value instanceof Dict
                || value instanceof Undefined
                || value instanceof Items items && items.kind().indexed();
    }

    static boolean iterable(Value value) {
        return value instanceof Text
                || value instanceof Dict
                || value instanceof Undefined
                || value instanceof Items
                || value instanceof Value.Stream;
    }
}
