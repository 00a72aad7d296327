package dev.lory.template;

import java.util.Locale;

/**
 * One token of a template.
 *
 * @param text the text itself; of a string, the text between its quotes with escapes resolved
 * @param line counted from 1
 */
record Token(Kind kind, String text, int line) {
    enum Kind {
        DATA,
        VARIABLE_BEGIN,
        VARIABLE_END,
        BLOCK_BEGIN,
        BLOCK_END,
        NAME,
        STRING,
        INTEGER,
        FLOAT,
        OPERATOR,
        END
    }

    boolean is(Kind wanted) {
        return kind == wanted;
    }

    boolean isOperator(String symbol) {
        return kind == Kind.OPERATOR && text.equals(symbol);
    }

    boolean isName(String name) {
        return kind == Kind.NAME && text.equals(name);
    }

    /** For error messages. */
    String described() {
        return switch (kind) {
            case DATA -> "template text";
            case VARIABLE_BEGIN -> "'{{'";
            case VARIABLE_END -> "'}}'";
            case BLOCK_BEGIN -> "'{%'";
            case BLOCK_END -> "'%}'";
            case END -> "the end of the template";
            case NAME, OPERATOR -> "'" + Strings.shortened(text, 40) + "'";
            case STRING, INTEGER, FLOAT ->
                kind.name().toLowerCase(Locale.ROOT) + " '" + Strings.shortened(text, 40) + "'";
        };
    }
}
