package dev.lory.worker;

import java.util.List;

/** The texts behind token ids. */
public interface Vocabulary {
    /** Text of one token; bytes that are no whole character become U+FFFD. */
    String text(int id);

    /** Bytes of one token. */
    byte[] bytes(int id);

    /** Text of a sequence, special tokens included. */
    String decode(List<Integer> ids);
}
