package dev.lory.template;

import dev.lory.template.Expression.CallArguments;
import dev.lory.template.Expression.Comparand;
import dev.lory.template.Expression.Operand;
import dev.lory.template.Expression.Operator;
import dev.lory.template.Expression.Relation;
import dev.lory.template.Expression.Step;
import dev.lory.template.Token.Kind;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;

/** Expressions, from the loosest binding operator to the tightest, with Jinja's precedence. */
final class ExpressionParser {
    private static final Map<String, Relation> RELATIONS = Map.of(
            "==", Relation.EQUAL,
            "!=", Relation.NOT_EQUAL,
            "<", Relation.LESS,
            "<=", Relation.LESS_OR_EQUAL,
            ">", Relation.GREATER,
            ">=", Relation.GREATER_OR_EQUAL);
    private static final Map<String, Operator> SUMS = Map.of("+", Operator.ADD, "-", Operator.SUBTRACT);
    private static final Map<String, Operator> PRODUCTS =
            Map.of("*", Operator.MULTIPLY, "/", Operator.DIVIDE, "//", Operator.FLOOR_DIVIDE, "%", Operator.MODULO);
    private static final Map<String, Operator> POWERS = Map.of("**", Operator.POWER);
    private static final Map<String, Value> CONSTANTS = Map.of(
            "true", Value.Bool.TRUE,
            "True", Value.Bool.TRUE,
            "false", Value.Bool.FALSE,
            "False", Value.Bool.FALSE,
            "none", Value.None.NONE,
            "None", Value.None.NONE);
    private static final Expression.Literal ABSENT = new Expression.Literal(Value.None.NONE);

    private final Tokens tokens;
    private final Set<String> namesRead = new HashSet<>();
    private int conditional;

    ExpressionParser(Tokens tokens) {
        this.tokens = tokens;
    }

    /** Every name read so far; the caller may clear it. */
    Set<String> namesRead() {
        return namesRead;
    }

    /** Inside a branch an unknown filter or test is an error only when it is reached. */
    void enterBranch() {
        conditional++;
    }

    void leaveBranch() {
        conditional--;
    }

    /** An expression, or a tuple when commas follow. */
    Expression tuple() {
        return tuple(this::expression, false);
    }

    /** As {@link #tuple()} without {@code a if b else c}, where {@code if} means something else. */
    Expression tupleWithoutCondition() {
        return tuple(this::or, false);
    }

    private Expression tuple(Supplier<Expression> item, boolean mayBeEmpty) {
        List<Expression> items = new ArrayList<>();
        boolean comma = false;
        while (!endsTuple()) {
            items.add(item.get());
            if (!tokens.skipOperator(",")) {
                break;
            }
            comma = true;
        }
        if (items.size() == 1 && !comma) {
            return items.getFirst();
        }
        if (items.isEmpty() && !mayBeEmpty) {
            throw tokens.expected("an expression");
        }
        return new Expression.ItemsLiteral(Items.Kind.TUPLE, items);
    }

    private boolean endsTuple() {
        Token token = tokens.current();
        return token.is(Kind.VARIABLE_END)
                || token.is(Kind.BLOCK_END)
                || token.isOperator(")")
                || token.isName("recursive");
    }

    Expression expression() {
        tokens.enter();
        Expression value = or();
        while (tokens.current().isName("if")) {
            int line = tokens.next().line();
            tokens.enter();
            enterBranch();
            Expression test = or();
            Expression otherwise = tokens.skipName("else") ? expression() : new Expression.NoElse(line);
            leaveBranch();
            value = new Expression.Conditional(test, value, otherwise);
            if (tokens.current().isName("if")) {
                throw tokens.expected("the end of the expression");
            }
            tokens.leave();
        }
        tokens.leave();
        return value;
    }

    private Expression or() {
        List<Expression> operands = new ArrayList<>(List.of(and()));
        while (tokens.skipName("or")) {
            operands.add(and());
        }
        return operands.size() == 1 ? operands.getFirst() : new Expression.Or(operands);
    }

    private Expression and() {
        List<Expression> operands = new ArrayList<>(List.of(not()));
        while (tokens.skipName("and")) {
            operands.add(not());
        }
        return operands.size() == 1 ? operands.getFirst() : new Expression.And(operands);
    }

    private Expression not() {
        if (!tokens.skipName("not")) {
            return comparison();
        }
        tokens.enter();
        Expression operand = not();
        tokens.leave();
        return new Expression.Not(operand);
    }

    private Expression comparison() {
        Expression first = sum();
        List<Comparand> rest = new ArrayList<>();
        for (Optional<Relation> r = relation(); r.isPresent(); r = relation()) {
            rest.add(new Comparand(r.get(), sum()));
        }
        return rest.isEmpty() ? first : new Expression.Comparison(first, rest);
    }

    private Optional<Relation> relation() {
        Token token = tokens.current();
        if (token.isName("in")) {
            tokens.next();
            return Optional.of(Relation.IN);
        }
        if (token.isName("not") && tokens.following().isName("in")) {
            tokens.next();
            tokens.next();
            return Optional.of(Relation.NOT_IN);
        }
        return operator(RELATIONS);
    }

    private <T> Optional<T> operator(Map<String, T> table) {
        Token token = tokens.current();
        if (!token.is(Kind.OPERATOR) || !table.containsKey(token.text())) {
            return Optional.empty();
        }
        tokens.next();
        return Optional.ofNullable(table.get(token.text()));
    }

    private Expression sum() {
        return arithmetic(SUMS, this::concatenation);
    }

    private Expression concatenation() {
        List<Expression> operands = new ArrayList<>(List.of(product()));
        while (tokens.skipOperator("~")) {
            operands.add(product());
        }
        return operands.size() == 1 ? operands.getFirst() : new Expression.Concatenation(operands);
    }

    private Expression product() {
        return arithmetic(PRODUCTS, this::power);
    }

    private Expression power() {
        return arithmetic(POWERS, () -> unary(true));
    }

    private Expression arithmetic(Map<String, Operator> operators, Supplier<Expression> operand) {
        Expression first = operand.get();
        List<Operand> rest = new ArrayList<>();
        for (Optional<Operator> o = operator(operators); o.isPresent(); o = operator(operators)) {
            rest.add(new Operand(o.get(), operand.get()));
        }
        return rest.isEmpty() ? first : new Expression.Arithmetic(first, rest);
    }

    private Expression unary(boolean withFilters) {
        Expression base;
        if (tokens.current().isOperator("-") || tokens.current().isOperator("+")) {
            tokens.enter();
            boolean negative = tokens.next().text().equals("-");
            base = new Expression.Sign(negative, unary(false));
            tokens.leave();
        } else {
            base = primary();
        }
        List<Step> steps = new ArrayList<>();
        postfix(steps);
        if (withFilters) {
            filtersAndTests(steps);
        }
        return steps.isEmpty() ? base : new Expression.Chain(base, steps);
    }

    private Expression primary() {
        Token token = tokens.current();
        return switch (token.kind()) {
            case NAME -> {
                tokens.next();
                Value constant = CONSTANTS.get(token.text());
                if (constant != null) {
                    yield new Expression.Literal(constant);
                }
                namesRead.add(token.text());
                yield new Expression.Name(token.text());
            }
            case STRING -> {
                StringBuilder text = new StringBuilder();
                while (tokens.current().is(Kind.STRING)) {
                    text.append(tokens.next().text());
                }
                yield new Expression.Literal(new Value.Text(text.toString()));
            }
            case INTEGER ->
                new Expression.Literal(new Value.Int(integer(tokens.next().text())));
            case FLOAT ->
                new Expression.Literal(
                        new Value.Real(Double.parseDouble(tokens.next().text())));
            case OPERATOR -> bracketed();
            case DATA, VARIABLE_BEGIN, VARIABLE_END, BLOCK_BEGIN, BLOCK_END, END ->
                throw tokens.expected("an expression");
        };
    }

    private BigInteger integer(String text) {
        boolean prefixed = text.length() > 1 && Character.isLetter(text.charAt(1));
        if (prefixed && text.length() == 2) {
            throw tokens.fail("'" + text + "' has no digits");
        }
        int radix = !prefixed
                ? 10
                : switch (Character.toLowerCase(text.charAt(1))) {
                    case 'x' -> 16;
                    case 'o' -> 8;
                    default -> 2;
                };
        return new BigInteger(prefixed ? text.substring(2) : text, radix);
    }

    private Expression bracketed() {
        String symbol = tokens.current().text();
        tokens.enter();
        Expression value = switch (symbol) {
            case "(" -> {
                tokens.next();
                Expression inner = tuple(this::expression, true);
                tokens.expectOperator(")");
                yield inner;
            }
            case "[" -> list();
            case "{" -> dict();
            default -> throw tokens.expected("an expression");
        };
        tokens.leave();
        return value;
    }

    private Expression list() {
        tokens.expectOperator("[");
        List<Expression> items = new ArrayList<>();
        while (!tokens.skipOperator("]")) {
            items.add(expression());
            if (!tokens.skipOperator(",")) {
                tokens.expectOperator("]");
                break;
            }
        }
        return new Expression.ItemsLiteral(Items.Kind.LIST, items);
    }

    private Expression dict() {
        tokens.expectOperator("{");
        List<Expression.Pair> pairs = new ArrayList<>();
        while (!tokens.skipOperator("}")) {
            Expression key = expression();
            tokens.expectOperator(":");
            pairs.add(new Expression.Pair(key, expression()));
            if (!tokens.skipOperator(",")) {
                tokens.expectOperator("}");
                break;
            }
        }
        return new Expression.DictLiteral(pairs);
    }

    private void postfix(List<Step> steps) {
        while (true) {
            if (tokens.skipOperator(".")) {
                steps.add(attribute());
            } else if (tokens.skipOperator("[")) {
                steps.add(subscript());
            } else if (tokens.current().isOperator("(")) {
                steps.add(new Expression.Call(arguments()));
            } else {
                return;
            }
        }
    }

    private Step attribute() {
        Token token = tokens.current();
        if (token.is(Kind.INTEGER)) {
            tokens.next();
            return new Expression.Subscript(new Expression.Literal(new Value.Int(integer(token.text()))));
        }
        return new Expression.Attribute(tokens.expectName());
    }

    private Step subscript() {
        if (tokens.current().isOperator("]")) {
            throw tokens.expected("a subscript");
        }
        Expression start = tokens.current().isOperator(":") ? ABSENT : expression();
        if (!tokens.skipOperator(":")) {
            if (tokens.current().isOperator(",")) {
                start = tupleKey(start);
            }
            tokens.expectOperator("]");
            return new Expression.Subscript(start);
        }
        Expression stop = endsSlicePart() ? ABSENT : expression();
        Expression step = ABSENT;
        if (tokens.skipOperator(":") && !endsSlicePart()) {
            step = expression();
        }
        tokens.expectOperator("]");
        return new Expression.Slice(start, stop, step);
    }

    private Expression tupleKey(Expression first) {
        List<Expression> parts = new ArrayList<>(List.of(first));
        while (tokens.skipOperator(",")) {
            parts.add(expression());
        }
        return new Expression.ItemsLiteral(Items.Kind.TUPLE, parts);
    }

    private boolean endsSlicePart() {
        return tokens.current().isOperator("]") || tokens.current().isOperator(":");
    }

    private void filtersAndTests(List<Step> steps) {
        while (true) {
            if (tokens.skipOperator("|")) {
                steps.add(filter());
            } else if (tokens.skipName("is")) {
                steps.add(test());
            } else if (tokens.current().isOperator("(")) {
                steps.add(new Expression.Call(arguments()));
            } else {
                return;
            }
        }
    }

    /** The filters of {@code {% set x | a | b %}}. */
    List<Step> pipedFilters() {
        List<Step> steps = new ArrayList<>();
        while (tokens.skipOperator("|")) {
            steps.add(filter());
        }
        return steps;
    }

    /** A filter with its arguments; the bar in front of it has been read. */
    Step filter() {
        String name = dottedName();
        if (conditional == 0 && !Filters.known(name)) {
            throw tokens.fail(Filters.unknown(name));
        }
        return new Expression.FilterStep(name, tokens.current().isOperator("(") ? arguments() : CallArguments.NONE);
    }

    private String dottedName() {
        StringBuilder name = new StringBuilder(tokens.expectName());
        while (tokens.skipOperator(".")) {
            name.append('.').append(tokens.expectName());
        }
        return name.toString();
    }

    private Step test() {
        boolean negated = tokens.skipName("not");
        String name = dottedName();
        if (conditional == 0 && !Tests.known(name)) {
            throw tokens.fail("there is no test named '" + name + "'");
        }
        Token token = tokens.current();
        if (token.isOperator("(")) {
            return new Expression.TestStep(name, negated, arguments());
        }
        boolean argument = switch (token.kind()) {
            case NAME -> !Set.of("else", "or", "and").contains(token.text());
            case STRING, INTEGER, FLOAT -> true;
            case OPERATOR -> token.isOperator("[") || token.isOperator("{");
            case DATA, VARIABLE_BEGIN, VARIABLE_END, BLOCK_BEGIN, BLOCK_END, END -> false;
        };
        if (!argument) {
            return new Expression.TestStep(name, negated, CallArguments.NONE);
        }
        if (token.isName("is")) {
            throw tokens.fail("tests with 'is' cannot be chained");
        }
        Expression base = primary();
        List<Step> steps = new ArrayList<>();
        postfix(steps);
        Expression value = steps.isEmpty() ? base : new Expression.Chain(base, steps);
        return new Expression.TestStep(
                name, negated, new CallArguments(List.of(value), List.of(), List.of(), List.of()));
    }

    CallArguments arguments() {
        tokens.enter();
        tokens.expectOperator("(");
        List<Expression> positional = new ArrayList<>();
        List<Expression.Keyword> named = new ArrayList<>();
        List<Expression> spread = new ArrayList<>();
        List<Expression> namedSpread = new ArrayList<>();
        while (!tokens.skipOperator(")")) {
            boolean late = !spread.isEmpty() || !namedSpread.isEmpty();
            if (tokens.current().isOperator("*") && !late) {
                tokens.next();
                spread.add(expression());
            } else if (tokens.current().isOperator("**") && namedSpread.isEmpty()) {
                tokens.next();
                namedSpread.add(expression());
            } else if (tokens.current().is(Kind.NAME) && tokens.following().isOperator("=") && namedSpread.isEmpty()) {
                String name = tokens.next().text();
                tokens.next();
                named.add(new Expression.Keyword(name, expression()));
            } else if (!late && named.isEmpty()) {
                positional.add(expression());
            } else {
                throw tokens.expected("a named argument");
            }
            if (!tokens.skipOperator(",")) {
                tokens.expectOperator(")");
                break;
            }
        }
        tokens.leave();
        return new CallArguments(positional, named, spread, namedSpread);
    }
}
