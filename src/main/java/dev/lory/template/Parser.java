package dev.lory.template;

import dev.lory.template.Expression.Step;
import dev.lory.template.Statement.Branch;
import dev.lory.template.Statement.Macro;
import dev.lory.template.Statement.Parameter;
import dev.lory.template.Statement.Target;
import dev.lory.template.Token.Kind;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** Statements. What needs other templates ({@code include}, {@code import}, {@code extends}) is refused by name. */
final class Parser {
    /** How deep brackets and blocks may nest; far below what a thread's stack holds. */
    static final int MAX_NESTING = 100;

    /** Tags that need other templates, or HTML. */
    private static final Set<String> ELSEWHERE = Set.of("include", "import", "from", "extends", "autoescape");

    private static final Set<String> IMPLICIT = Set.of("caller", "varargs", "kwargs");

    private final Tokens tokens;
    private final ExpressionParser expressions;
    private final Deque<String> open = new ArrayDeque<>();
    private final Set<String> blocks = new HashSet<>();
    private int loops;

    private Parser(Tokens tokens) {
        this.tokens = tokens;
        this.expressions = new ExpressionParser(tokens);
    }

    /** @throws TemplateSyntaxFault with the line and what was found there */
    static List<Statement> parse(String source) {
        Parser parser = new Parser(new Tokens(Lexer.tokens(source)));
        return parser.statements(Set.of());
    }

    /** Up to the tag that has one of these names, which is left as the current token; or up to the end. */
    private List<Statement> statements(Set<String> ends) {
        tokens.enter();
        List<Statement> body = new ArrayList<>();
        while (true) {
            Token token = tokens.current();
            switch (token.kind()) {
                case DATA -> body.add(new Statement.Data(tokens.next().text()));
                case VARIABLE_BEGIN -> {
                    tokens.next();
                    body.add(new Statement.Output(token.line(), expressions.tuple()));
                    tokens.expect(Kind.VARIABLE_END);
                }
                case BLOCK_BEGIN -> {
                    tokens.next();
                    if (tokens.current().is(Kind.NAME)
                            && ends.contains(tokens.current().text())) {
                        tokens.leave();
                        return body;
                    }
                    body.add(statement());
                    tokens.expect(Kind.BLOCK_END);
                }
                case END -> {
                    if (!ends.isEmpty()) {
                        throw unclosed(ends);
                    }
                    tokens.leave();
                    return body;
                }
                case NAME, STRING, INTEGER, FLOAT, OPERATOR, VARIABLE_END, BLOCK_END ->
                    throw tokens.expected("template text or a tag");
            }
        }
    }

    private TemplateSyntaxFault unclosed(Set<String> ends) {
        return tokens.fail("the template ends inside " + open.peek() + "; expected "
                + String.join(" or ", ends.stream().sorted().toList()));
    }

    private Statement statement() {
        Token tag = tokens.current();
        String name = tokens.expectName();
        open.push("'" + Strings.shortened(name, 40) + "' of line " + tag.line());
        Statement statement = switch (name) {
            case "if" -> ifStatement(tag.line());
            case "for" -> forStatement(tag.line());
            case "set" -> assignment(tag.line());
            case "with" -> with(tag.line());
            case "macro" -> macro(tag.line());
            case "call" -> callBlock(tag.line());
            case "filter" -> filterBlock(tag.line());
            case "print" -> print(tag.line());
            case "generation" -> generation();
            case "block" -> block();
            case "break" -> inLoop(tag, new Statement.Break());
            case "continue" -> inLoop(tag, new Statement.Continue());
            default -> throw unknown(tag);
        };
        open.pop();
        return statement;
    }

    private TemplateSyntaxFault unknown(Token tag) {
        open.pop();
        if (ELSEWHERE.contains(tag.text())) {
            return new TemplateSyntaxFault(
                    tag.line(), "the tag " + tag.described() + " is not supported: a chat template stands alone");
        }
        String where = open.isEmpty() ? "" : " inside " + open.peek();
        return new TemplateSyntaxFault(tag.line(), "unknown tag " + tag.described() + where);
    }

    private Statement inLoop(Token tag, Statement statement) {
        if (loops == 0) {
            throw new TemplateSyntaxFault(tag.line(), tag.described() + " stands outside a loop");
        }
        return statement;
    }

    /** A body up to one of the tags; the name of that tag has been read afterwards, its end has not. */
    private List<Statement> body(String... ends) {
        tokens.skipOperator(":");
        tokens.expect(Kind.BLOCK_END);
        return statements(Set.of(ends));
    }

    private List<Statement> bodyTo(String end) {
        List<Statement> body = body(end);
        tokens.next();
        return body;
    }

    private Statement ifStatement(int line) {
        expressions.enterBranch();
        List<Branch> branches = new ArrayList<>();
        List<Statement> otherwise = List.of();
        int branchLine = line;
        while (true) {
            Expression test = expressions.tupleWithoutCondition();
            branches.add(new Branch(branchLine, test, body("elif", "else", "endif")));
            Token end = tokens.next();
            branchLine = end.line();
            if (end.isName("elif")) {
                continue;
            }
            if (end.isName("else")) {
                otherwise = bodyTo("endif");
            }
            expressions.leaveBranch();
            return new Statement.If(branches, otherwise);
        }
    }

    private Statement forStatement(int line) {
        Target target = targets(false);
        tokens.expectName("in");
        Expression iterable = expressions.tupleWithoutCondition();
        Expression filter = tokens.skipName("if") ? expressions.expression() : new Expression.Literal(Value.Bool.TRUE);
        boolean recursive = tokens.skipName("recursive");
        loops++;
        List<Statement> body = body("endfor", "else");
        loops--;
        List<Statement> otherwise = tokens.next().isName("else") ? bodyTo("endfor") : List.of();
        return new Statement.For(line, target, iterable, filter, recursive, body, otherwise);
    }

    private Statement assignment(int line) {
        Target target = targets(true);
        if (tokens.skipOperator("=")) {
            return new Statement.Assignment(line, target, expressions.tuple());
        }
        List<Step> filters = expressions.pipedFilters();
        return new Statement.BlockAssignment(line, target, filters, bodyTo("endset"));
    }

    private Statement with(int line) {
        List<Statement.Assignment> assignments = new ArrayList<>();
        while (!tokens.current().is(Kind.BLOCK_END) && !tokens.current().isOperator(":")) {
            if (!assignments.isEmpty()) {
                tokens.expectOperator(",");
            }
            int at = tokens.line();
            Target target = target(false);
            tokens.expectOperator("=");
            assignments.add(new Statement.Assignment(at, target, expressions.expression()));
        }
        return new Statement.With(line, assignments, bodyTo("endwith"));
    }

    private Statement macro(int line) {
        String name = tokens.expectName();
        return new Statement.MacroDefinition(line, macroBody(name, signature(), "endmacro"));
    }

    private Macro macroBody(String name, List<Parameter> parameters, String end) {
        Set<String> outside = new HashSet<>(expressions.namesRead());
        expressions.namesRead().clear();
        int loopsOutside = loops;
        loops = 0;
        List<Statement> body = bodyTo(end);
        loops = loopsOutside;
        Set<String> implicit = new HashSet<>(expressions.namesRead());
        implicit.retainAll(IMPLICIT);
        parameters.forEach(parameter -> implicit.remove(parameter.name()));
        outside.retainAll(IMPLICIT);
        expressions.namesRead().addAll(outside);
        return new Macro(name, parameters, implicit, body);
    }

    private List<Parameter> signature() {
        List<Parameter> parameters = new ArrayList<>();
        tokens.expectOperator("(");
        boolean defaults = false;
        while (!tokens.skipOperator(")")) {
            if (!parameters.isEmpty()) {
                tokens.expectOperator(",");
            }
            int line = tokens.line();
            String name = tokens.expectName();
            if (parameters.stream().anyMatch(p -> p.name().equals(name))) {
                throw tokens.fail("parameter '" + name + "' comes twice");
            }
            boolean optional = tokens.skipOperator("=");
            if (defaults && !optional) {
                throw tokens.fail("parameter '" + name + "' needs a default, as the one before has");
            }
            defaults = optional;
            Expression fallback = optional ? expressions.expression() : new Expression.NoElse(line);
            parameters.add(new Parameter(name, !optional, fallback));
        }
        return parameters;
    }

    private Statement callBlock(int line) {
        List<Parameter> parameters = tokens.current().isOperator("(") ? signature() : List.of();
        Expression call = expressions.expression();
        boolean isCall = call instanceof Expression.Chain chain && chain.steps().getLast() instanceof Expression.Call;
        if (!isCall) {
            throw new TemplateSyntaxFault(line, "'call' needs the call of a macro");
        }
        Expression.Chain chain = (Expression.Chain) call;
        Expression.Call last = (Expression.Call) chain.steps().getLast();
        Expression callee = new Expression.Chain(
                chain.base(), chain.steps().subList(0, chain.steps().size() - 1));
        return new Statement.CallBlock(line, callee, last.arguments(), macroBody("caller", parameters, "endcall"));
    }

    private Statement print(int line) {
        List<Expression> values = new ArrayList<>();
        do {
            values.add(expressions.expression());
        } while (tokens.skipOperator(","));
        return new Statement.Output(line, new Expression.Concatenation(values));
    }

    private Statement filterBlock(int line) {
        List<Step> filters = new ArrayList<>(List.of(expressions.filter()));
        filters.addAll(expressions.pipedFilters());
        return new Statement.FilterBlock(line, filters, bodyTo("endfilter"));
    }

    /** transformers marks with it what the assistant said; rendered, it is its body. */
    private Statement generation() {
        int loopsOutside = loops;
        loops = 0;
        List<Statement> body = bodyTo("endgeneration");
        loops = loopsOutside;
        return new Statement.Scoped(body, false);
    }

    private Statement block() {
        String name = tokens.expectName();
        if (!blocks.add(name)) {
            throw tokens.fail("block '" + name + "' comes twice");
        }
        boolean scoped = tokens.skipName("scoped");
        int loopsOutside = loops;
        loops = 0;
        List<Statement> body = bodyTo("endblock");
        loops = loopsOutside;
        tokens.skipName(name);
        return new Statement.Scoped(body, !scoped);
    }

    private Target targets(boolean withAttributes) {
        List<Target> targets = new ArrayList<>();
        boolean comma = false;
        while (targets.isEmpty()
                || tokens.current().is(Kind.NAME) && !tokens.current().isName("in")
                || tokens.current().isOperator("(")) {
            targets.add(target(withAttributes));
            if (!tokens.skipOperator(",")) {
                break;
            }
            comma = true;
        }
        return targets.size() == 1 && !comma ? targets.getFirst() : new Statement.TupleTarget(targets);
    }

    private Target target(boolean withAttributes) {
        if (tokens.skipOperator("(")) {
            tokens.enter();
            Target inner = targets(withAttributes);
            tokens.expectOperator(")");
            tokens.leave();
            return inner;
        }
        String name = tokens.expectName();
        if (Set.of("true", "false", "none", "True", "False", "None").contains(name)) {
            throw tokens.fail("'" + name + "' cannot be assigned to");
        }
        if (withAttributes && tokens.skipOperator(".")) {
            return new Statement.AttributeTarget(name, tokens.expectName());
        }
        return new Statement.NameTarget(name);
    }
}
