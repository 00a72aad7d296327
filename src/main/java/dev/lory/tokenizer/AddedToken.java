package dev.lory.tokenizer;

/**
 * A token that is found in the text before anything else looks at it ({@code added_tokens} of tokenizer.json).
 *
 * @param special whether it is a control token, which user text must not be able to produce
 * @param singleWord whether it counts only between characters that belong to no word
 * @param lstrip whether it swallows the white space before it
 * @param rstrip whether it swallows the white space after it
 */
record AddedToken(int id, String text, boolean special, boolean singleWord, boolean lstrip, boolean rstrip) {}
