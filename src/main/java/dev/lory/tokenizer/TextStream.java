package dev.lory.tokenizer;

import java.util.Arrays;

/**
 * Decodes the tokens of one text as they come: what it gives out, put together, is {@link Tokenizer#decode} of them
 * all. A character whose bytes are not complete is held back. For one thread.
 */
public final class TextStream {
    private final Tokenizer tokenizer;
    private final boolean skipSpecial;
    private boolean stripSpace;
    private byte[] held = new byte[0];

    TextStream(Tokenizer tokenizer, boolean skipSpecial, boolean stripSpace) {
        this.tokenizer = tokenizer;
        this.skipSpecial = skipSpecial;
        this.stripSpace = stripSpace;
    }

    /** The text that is complete with this token; empty while a character is not. */
    public String append(int id) {
        if (skipSpecial && tokenizer.isSpecial(id)) {
            return "";
        }
        byte[] more = tokenizer.bytes(id);
        byte[] bytes = Arrays.copyOf(held, held.length + more.length);
        System.arraycopy(more, 0, bytes, held.length, more.length);
        int complete = bytes.length - Utf8.unfinished(bytes);
        held = Arrays.copyOfRange(bytes, complete, bytes.length);
        return text(bytes, complete);
    }

    /** The rest at the end of the text: U+FFFD if a character was left unfinished. */
    public String flush() {
        byte[] rest = held;
        held = new byte[0];
        return text(rest, rest.length);
    }

    private String text(byte[] bytes, int length) {
        String text = tokenizer.text(bytes, length);
        if (stripSpace && !text.isEmpty()) {
            stripSpace = false;
            return text.startsWith(" ") ? text.substring(1) : text;
        }
        return text;
    }
}
