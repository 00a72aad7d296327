package dev.lory.tokenizer;

import java.nio.charset.StandardCharsets;

/**
 * UTF-8 that may be broken or cut off (Unicode standard, table 3-7). Each longest beginning of a character that goes
 * wrong becomes one U+FFFD, or one for each of its bytes; Java's own decoder counts surrogates differently.
 */
final class Utf8 {
    private Utf8() {}

    /**
     * The text of the first {@code length} bytes.
     *
     * @param bytewise whether each byte of a beginning that goes wrong becomes a U+FFFD of its own
     */
    static String decode(byte[] bytes, int length, boolean bytewise) {
        StringBuilder text = new StringBuilder(length);
        int valid = 0;
        int at = 0;
        while (at < length) {
            int good = goodBytes(bytes, at, length);
            if (good > 0 && good == length(bytes[at])) {
                at += good;
            } else {
                int wrong = Math.max(1, good);
                text.append(new String(bytes, valid, at - valid, StandardCharsets.UTF_8))
                        .repeat('\uFFFD', bytewise ? wrong : 1);
                at += wrong;
                valid = at;
            }
        }
        return text.append(new String(bytes, valid, length - valid, StandardCharsets.UTF_8))
                .toString();
    }

    /** How many bytes at the end may become a character when more follow, 0 to 3. */
    static int unfinished(byte[] bytes) {
        for (int back = 1; back <= Math.min(3, bytes.length); back++) {
            int lead = bytes.length - back;
            if ((bytes[lead] & 0xC0) != 0x80) {
                return back < length(bytes[lead]) && goodBytes(bytes, lead, bytes.length) == back ? back : 0;
            }
        }
        return 0;
    }

    /** Bytes of the character that this one begins; 0 if it begins none. */
    private static int length(byte first) {
        int lead = first & 0xFF;
        if (lead < 0x80) {
            return 1;
        }
        if (lead < 0xC2 || lead > 0xF4) {
            return 0;
        }
        return lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    }

    /** How many bytes from {@code at} on fit one character. */
    private static int goodBytes(byte[] bytes, int at, int to) {
        int length = length(bytes[at]);
        int good = Math.min(1, length);
        while (good < length && at + good < to && follows(bytes[at] & 0xFF, good, bytes[at + good] & 0xFF)) {
            good++;
        }
        return good;
    }

    private static boolean follows(int lead, int index, int next) {
        int least = index > 1 ? 0x80 : lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
        int most = index > 1 ? 0xBF : lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
        return next >= least && next <= most;
    }
}
