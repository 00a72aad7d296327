package dev.lory.tokenizer;

import java.nio.charset.StandardCharsets;
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
        byte[] bytes = new byte[held.length + more.length];
        System.arraycopy(held, 0, bytes, 0, held.length);
        System.arraycopy(more, 0, bytes, held.length, more.length);
        int complete = bytes.length - unfinished(bytes);
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
        String text = new String(bytes, 0, length, StandardCharsets.UTF_8);
        if (stripSpace && !text.isEmpty()) {
            stripSpace = false;
            return text.startsWith(" ") ? text.substring(1) : text;
        }
        return text;
    }

    /** How many bytes at the end may become a character when more follow, 0 to 3 (Unicode standard, table 3-7). */
    private static int unfinished(byte[] bytes) {
        for (int back = 1; back <= Math.min(3, bytes.length); back++) {
            int lead = bytes[bytes.length - back] & 0xFF;
            if (lead < 0x80) {
                return 0;
            }
            if (lead >= 0xC0) {
                return back < length(lead) && (back == 1 || canFollow(lead, bytes[bytes.length - back + 1] & 0xFF))
                        ? back
                        : 0;
            }
        }
        return 0;
    }

    private static int length(int lead) {
        if (lead < 0xC2 || lead > 0xF4) {
            return 0;
        }
        return lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    }

    private static boolean canFollow(int lead, int second) {
        return switch (lead) {
            case 0xE0 -> second >= 0xA0;
            case 0xED -> second < 0xA0;
            case 0xF0 -> second >= 0x90;
            case 0xF4 -> second < 0x90;
            default -> true;
        };
    }
}
