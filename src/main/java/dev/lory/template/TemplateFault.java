package dev.lory.template;

/** A template that cannot go on; the message is Jinja's or Python's own where there is one. {@link ChatTemplate} adds the line. */
final class TemplateFault extends RuntimeException {
    private static final long serialVersionUID = 1L;

    TemplateFault(String message) {
        super(message, null, false, false);
    }

    String text() {
        return String.valueOf(getMessage());
    }
}
