package dev.lory.template;

/** A template that cannot be parsed; the line counts from 1. */
final class TemplateSyntaxFault extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final int line;

    TemplateSyntaxFault(int line, String what) {
        super(what, null, false, false);
        this.line = line;
    }

    int line() {
        return line;
    }

    String text() {
        return String.valueOf(getMessage());
    }
}
