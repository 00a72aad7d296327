package dev.lory.template;

import java.util.List;
import java.util.Set;

/** What a template does, in order; lines count from 1. */
sealed interface Statement {
    record Data(String text) implements Statement {}

    /** {@code {{ value }}}. */
    record Output(int line, Expression value) implements Statement {}

    record If(List<Branch> branches, List<Statement> otherwise) implements Statement {
        public If {
            branches = List.copyOf(branches);
            otherwise = List.copyOf(otherwise);
        }
    }

    record Branch(int line, Expression test, List<Statement> body) {
        public Branch {
            body = List.copyOf(body);
        }
    }

    /**
     * @param filter which items take part; {@code true} when the loop has no {@code if}
     * @param otherwise runs when no pass came to its end
     */
    record For(
            int line,
            Target target,
            Expression iterable,
            Expression filter,
            boolean recursive,
            List<Statement> body,
            List<Statement> otherwise)
            implements Statement {
        public For {
            body = List.copyOf(body);
            otherwise = List.copyOf(otherwise);
        }
    }

    record Assignment(int line, Target target, Expression value) implements Statement {}

    /** {@code {% set target | filters %}body{% endset %}}. */
    record BlockAssignment(int line, Target target, List<Expression.Step> filters, List<Statement> body)
            implements Statement {
        public BlockAssignment {
            filters = List.copyOf(filters);
            body = List.copyOf(body);
        }
    }

    record FilterBlock(int line, List<Expression.Step> filters, List<Statement> body) implements Statement {
        public FilterBlock {
            filters = List.copyOf(filters);
            body = List.copyOf(body);
        }
    }

    /** {@code {% with a = 1, b = 2 %}}; {@code assignments} are evaluated outside the block. */
    record With(int line, List<Assignment> assignments, List<Statement> body) implements Statement {
        public With {
            assignments = List.copyOf(assignments);
            body = List.copyOf(body);
        }
    }

    /**
     * A body with names of its own: {@code generation}, {@code block}.
     *
     * @param fromTop whether it sees the template's names only, not those of loops and macros around it
     */
    record Scoped(List<Statement> body, boolean fromTop) implements Statement {
        public Scoped {
            body = List.copyOf(body);
        }
    }

    record MacroDefinition(int line, Macro macro) implements Statement {}

    /** {@code {% call(params) callee(..) %}body{% endcall %}}; the body is the macro {@code caller}. */
    record CallBlock(int line, Expression callee, Expression.CallArguments arguments, Macro caller)
            implements Statement {}

    record Break() implements Statement {}

    record Continue() implements Statement {}

    /** @param implicit which of {@code caller, varargs, kwargs} the body speaks of, and so may be given */
    record Macro(String name, List<Parameter> parameters, Set<String> implicit, List<Statement> body) {
        public Macro {
            parameters = List.copyOf(parameters);
            implicit = Set.copyOf(implicit);
            body = List.copyOf(body);
        }
    }

    /** @param fallback its default; of a required one an {@link Expression.NoElse}, never evaluated */
    record Parameter(String name, boolean required, Expression fallback) {}

    /** What can be assigned to. */
    sealed interface Target {}

    record NameTarget(String name) implements Target {}

    record AttributeTarget(String namespace, String attribute) implements Target {}

    record TupleTarget(List<Target> targets) implements Target {
        public TupleTarget {
            targets = List.copyOf(targets);
        }
    }
}
