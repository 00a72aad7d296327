package dev.lory.template;

import dev.lory.template.Token.Kind;
import java.util.List;

/** Reads tokens one after the other and says what was wanted when another one comes. */
final class Tokens {
    private final List<Token> tokens;
    private int at;
    private int depth;

    Tokens(List<Token> tokens) {
        this.tokens = tokens;
    }

    Token current() {
        return tokens.get(at);
    }

    Token following() {
        return tokens.get(Math.min(at + 1, tokens.size() - 1));
    }

    int line() {
        return current().line();
    }

    Token next() {
        Token token = current();
        if (at < tokens.size() - 1) {
            at++;
        }
        return token;
    }

    boolean skipOperator(String symbol) {
        boolean is = current().isOperator(symbol);
        if (is) {
            next();
        }
        return is;
    }

    boolean skipName(String name) {
        boolean is = current().isName(name);
        if (is) {
            next();
        }
        return is;
    }

    void expectOperator(String symbol) {
        if (!skipOperator(symbol)) {
            throw expected("'" + symbol + "'");
        }
    }

    void expectName(String name) {
        if (!skipName(name)) {
            throw expected("'" + name + "'");
        }
    }

    String expectName() {
        if (!current().is(Kind.NAME)) {
            throw expected("a name");
        }
        return next().text();
    }

    void expect(Kind kind) {
        if (!current().is(kind)) {
            throw expected(new Token(kind, "", 0).described());
        }
        next();
    }

    /** One level of brackets, operators or blocks deeper. */
    void enter() {
        if (++depth > Parser.MAX_NESTING) {
            throw fail("expressions or blocks are nested deeper than " + Parser.MAX_NESTING);
        }
    }

    void leave() {
        depth--;
    }

    TemplateSyntaxFault expected(String what) {
        return fail("expected " + what + ", found " + current().described());
    }

    TemplateSyntaxFault fail(String what) {
        return new TemplateSyntaxFault(line(), what);
    }
}
