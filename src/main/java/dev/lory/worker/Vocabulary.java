package dev.lory.worker;

import java.util.List;

/**
 * From text to token ids and back, as the model has it. Of a model without a tokenizer each method throws {@code INVALID_REQUEST}, but for
 * prompts that are ids already; where the tokenizer's native library cannot be loaded, {@code UNSUPPORTED}.
 */
public interface Vocabulary {
    /** Text of one token; bytes that are no whole character become U+FFFD. */
    String text(int id);

    /** Bytes of one token. */
    byte[] bytes(int id);

    /** One token as the vocabulary spells it, such as {@code Ġof} or {@code ▁of}; empty for an id without a token. */
    String piece(int id);

    /** Whether a token stands for no text, such as the end. */
    boolean isSpecial(int id);

    /** Text of a sequence, special tokens included. */
    String decode(List<Integer> ids);

    /**
     * The token ids of a prompt. What special tokens the template or the text spells out are recognised; in the messages of a chat they stay
     * text.
     *
     * @param addSpecialTokens whether what the model expects around a text, such as BOS, is added; ids are taken as they are
     * @throws dev.lory.error.ServiceException {@code INVALID_REQUEST} also without a chat template, {@code INVALID_TEMPLATE} if it refuses
     */
    List<Integer> encode(Prompt prompt, boolean addSpecialTokens);

    /**
     * A conversation as the model's chat template writes it.
     *
     * @throws dev.lory.error.ServiceException {@code INVALID_REQUEST} without a chat template, {@code INVALID_TEMPLATE} if it refuses
     */
    String render(Prompt.Chat chat);
}
