package dev.lory.template;

import java.util.List;

/** What a template can compute. Chains of operators are lists, so the depth of a tree is the depth of its brackets. */
sealed interface Expression {
    record Literal(Value value) implements Expression {}

    record Name(String name) implements Expression {}

    /** {@code [a, b]} or {@code (a, b)}. */
    record ItemsLiteral(Items.Kind kind, List<Expression> items) implements Expression {
        public ItemsLiteral {
            items = List.copyOf(items);
        }
    }

    record DictLiteral(List<Pair> pairs) implements Expression {
        public DictLiteral {
            pairs = List.copyOf(pairs);
        }
    }

    record Pair(Expression key, Expression value) {}

    /** {@code then if test else otherwise}. */
    record Conditional(Expression test, Expression then, Expression otherwise) implements Expression {}

    /** What a conditional without {@code else} gives: undefined. */
    record NoElse(int line) implements Expression {}

    record Or(List<Expression> operands) implements Expression {
        public Or {
            operands = List.copyOf(operands);
        }
    }

    record And(List<Expression> operands) implements Expression {
        public And {
            operands = List.copyOf(operands);
        }
    }

    record Not(Expression operand) implements Expression {}

    /** {@code a < b <= c}: true when each neighbouring pair is. */
    record Comparison(Expression first, List<Comparand> rest) implements Expression {
        public Comparison {
            rest = List.copyOf(rest);
        }
    }

    record Comparand(Relation relation, Expression operand) {}

    enum Relation {
        EQUAL,
        NOT_EQUAL,
        LESS,
        LESS_OR_EQUAL,
        GREATER,
        GREATER_OR_EQUAL,
        IN,
        NOT_IN
    }

    /** Operators of one precedence, left to right. */
    record Arithmetic(Expression first, List<Operand> rest) implements Expression {
        public Arithmetic {
            rest = List.copyOf(rest);
        }
    }

    record Operand(Operator operator, Expression value) {}

    enum Operator {
        ADD("+"),
        SUBTRACT("-"),
        MULTIPLY("*"),
        DIVIDE("/"),
        FLOOR_DIVIDE("//"),
        MODULO("%"),
        POWER("**");

        private final String symbol;

        Operator(String symbol) {
            this.symbol = symbol;
        }

        String symbol() {
            return symbol;
        }
    }

    /** {@code a ~ b ~ c}: the texts of all, joined. */
    record Concatenation(List<Expression> operands) implements Expression {
        public Concatenation {
            operands = List.copyOf(operands);
        }
    }

    record Sign(boolean negative, Expression operand) implements Expression {}

    /** {@code base.a[b](c) | d is e}: what follows a value, left to right. */
    record Chain(Expression base, List<Step> steps) implements Expression {
        public Chain {
            steps = List.copyOf(steps);
        }
    }

    sealed interface Step {}

    record Attribute(String name) implements Step {}

    record Subscript(Expression key) implements Step {}

    /** {@code [start:stop:step]}; an absent part is {@code none}. */
    record Slice(Expression start, Expression stop, Expression step) implements Step {}

    record Call(CallArguments arguments) implements Step {}

    record FilterStep(String name, CallArguments arguments) implements Step {}

    record TestStep(String name, boolean negated, CallArguments arguments) implements Step {}

    /**
     * @param spread at most one {@code *list}
     * @param namedSpread at most one {@code **dict}
     */
    record CallArguments(
            List<Expression> positional, List<Keyword> named, List<Expression> spread, List<Expression> namedSpread) {
        static final CallArguments NONE = new CallArguments(List.of(), List.of(), List.of(), List.of());

        public CallArguments {
            positional = List.copyOf(positional);
            named = List.copyOf(named);
            spread = List.copyOf(spread);
            namedSpread = List.copyOf(namedSpread);
        }
    }

    record Keyword(String name, Expression value) {}
}
