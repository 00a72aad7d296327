package dev.lory.tokenizer;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HexFormat;

/** What bytes the text of a token in the vocabulary stands for. */
enum PieceBytes {
    /** GPT-2's alphabet: each of the 256 bytes is one printable character. */
    BYTE_LEVEL {
        @Override
        byte[] of(String piece) {
            byte[] bytes = new byte[piece.length()];
            for (int i = 0; i < bytes.length; i++) {
                char c = piece.charAt(i);
                if (c >= BYTE_OF.length || BYTE_OF[c] < 0) {
                    return piece.getBytes(StandardCharsets.UTF_8); // an added token, which is plain text
                }
                bytes[i] = (byte) BYTE_OF[c];
            }
            return bytes;
        }

        @Override
        String text(byte[] bytes, int length) {
            return Utf8.decode(bytes, length, false);
        }
    },
    /** SentencePiece: U+2581 is a space, and {@code <0x0A>} the byte of that value. */
    SENTENCE_PIECE {
        @Override
        byte[] of(String piece) {
            if (isByte(piece)) {
                return HexFormat.of().parseHex(piece, 3, 5);
            }
            return piece.replace('\u2581', ' ').getBytes(StandardCharsets.UTF_8);
        }

        @Override
        String text(byte[] bytes, int length) {
            return Utf8.decode(bytes, length, true);
        }
    };

    private static final int[] BYTE_OF = byteOfCharacter();

    private static boolean isByte(String piece) {
        return piece.length() == 6
                && piece.startsWith("<0x")
                && piece.endsWith(">")
                && HexFormat.isHexDigit(piece.charAt(3))
                && HexFormat.isHexDigit(piece.charAt(4));
    }

    /** The bytes of a piece; together those of all tokens are UTF-8, a single one may hold part of a character. */
    abstract byte[] of(String piece);

    /** The text of the first {@code length} bytes; those that are no UTF-8 become as many U+FFFD as in Hugging Face's library. */
    abstract String text(byte[] bytes, int length);

    /** Bytes that are printable in Latin-1 are themselves; the others follow from U+0100 on, in order. */
    private static int[] byteOfCharacter() {
        int[] byteOf = new int[512];
        Arrays.fill(byteOf, -1);
        int next = 256;
        for (int b = 0; b < 256; b++) {
            boolean printable = b >= '!' && b <= '~' || b >= 0xA1 && b <= 0xAC || b >= 0xAE;
            byteOf[printable ? b : next++] = b;
        }
        return byteOf;
    }
}
