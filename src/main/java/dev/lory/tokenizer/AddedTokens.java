package dev.lory.tokenizer;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.IntConsumer;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Cuts text at added tokens, the longest first; and marks text in which special ones must stay text. */
final class AddedTokens {
    /** A noncharacter, which no text has a use for: it stands where a special token was taken apart. */
    private static final String SENTINEL = "\uFDD0";

    private static final Set<Integer> WORD_TYPES = Stream.of(
                    Character.NON_SPACING_MARK,
                    Character.COMBINING_SPACING_MARK,
                    Character.ENCLOSING_MARK,
                    Character.DECIMAL_DIGIT_NUMBER,
                    Character.CONNECTOR_PUNCTUATION)
            .map(Byte::intValue)
            .collect(Collectors.toUnmodifiableSet());

    /** What begins with the same characters, and the token that is all of them. */
    private static final class Node {
        private final Map<Character, Node> next = new HashMap<>();
        private @Nullable AddedToken token;

        private void add(AddedToken added) {
            Node node = this;
            for (int i = 0; i < added.text().length(); i++) {
                node = node.next.computeIfAbsent(added.text().charAt(i), character -> new Node());
            }
            node.token = node.token == null ? added : node.token;
        }
    }

    private final Node all = new Node();
    private final Node special = new Node();
    private final Set<Integer> specialIds;
    private final int longestSpecial;

    AddedTokens(List<AddedToken> tokens) {
        tokens.stream().filter(AddedTokens::isLookedFor).forEach(token -> {
            all.add(token);
            if (token.special()) {
                special.add(token);
            }
        });
        specialIds =
                tokens.stream().filter(AddedToken::special).map(AddedToken::id).collect(Collectors.toUnmodifiableSet());
        longestSpecial = tokens.stream()
                .filter(AddedToken::special)
                .mapToInt(token -> token.text().length())
                .max()
                .orElse(0);
    }

    /** A special token of one character cannot be taken apart, so it is never looked for. */
    private static boolean isLookedFor(AddedToken token) {
        int characters = token.text().codePointCount(0, token.text().length());
        return characters > (token.special() ? 1 : 0);
    }

    boolean isSpecial(int id) {
        return specialIds.contains(id);
    }

    /**
     * Walks through a text from left to right.
     *
     * @param special whether special tokens are looked for, and the marks of {@link #protect} removed
     * @param onText takes the text between added tokens, never empty
     * @param onToken takes the id of each added token
     */
    void split(String text, boolean special, Consumer<String> onText, IntConsumer onToken) {
        int done = 0;
        int at = 0;
        while (at < text.length()) {
            @Nullable AddedToken token = match(text, at, special);
            if (token == null) {
                at++;
                continue;
            }
            int begin = at;
            while (token.lstrip() && begin > done && isSpace(text.charAt(begin - 1))) {
                begin--;
            }
            emit(text.substring(done, begin), special, onText);
            onToken.accept(token.id());
            at += token.text().length();
            while (token.rstrip() && at < text.length() && isSpace(text.charAt(at))) {
                at++;
            }
            done = at;
        }
        emit(text.substring(done), special, onText);
    }

    /**
     * Marks text so that {@link #split} finds no special token in it, nor one that begins at its end and goes on in
     * whatever comes after it.
     */
    String protect(String text) {
        String plain = text.replace(SENTINEL, "");
        StringBuilder marked = new StringBuilder(plain.length() + 8);
        for (int at = 0; at < plain.length(); ) {
            int next = plain.offsetByCodePoints(at, 1);
            marked.append(plain, at, next);
            if (beginsSpecial(plain, at)) {
                marked.append(SENTINEL);
            }
            at = next;
        }
        if (endsInBeginning(plain)) {
            marked.append(SENTINEL);
        }
        return marked.toString();
    }

    /** The longest token that counts here. */
    private @Nullable AddedToken match(String text, int begin, boolean special) {
        @Nullable AddedToken longest = null;
        @Nullable Node node = all;
        for (int at = begin; at < text.length(); at++) {
            node = node.next.get(text.charAt(at));
            if (node == null) {
                break;
            }
            @Nullable AddedToken token = node.token;
            if (token != null
                    && (special || !token.special())
                    && (!token.singleWord() || standsAlone(text, begin, at + 1))) {
                longest = token;
            }
        }
        return longest;
    }

    private boolean beginsSpecial(String text, int begin) {
        @Nullable Node node = special;
        for (int at = begin; at < text.length() && node != null && node.token == null; at++) {
            node = node.next.get(text.charAt(at));
        }
        return node != null && node.token != null;
    }

    /** Whether the text ends in what is not yet all of a special token. */
    private boolean endsInBeginning(String text) {
        return IntStream.range(Math.max(0, text.length() - longestSpecial), text.length())
                .anyMatch(begin -> isBeginning(text, begin));
    }

    private boolean isBeginning(String text, int begin) {
        @Nullable Node node = special;
        for (int at = begin; at < text.length() && node != null; at++) {
            node = node.next.get(text.charAt(at));
        }
        return node != null && !node.next.isEmpty();
    }

    private static void emit(String text, boolean special, Consumer<String> onText) {
        String kept = special ? text.replace(SENTINEL, "") : text;
        if (!kept.isEmpty()) {
            onText.accept(kept);
        }
    }

    private static boolean standsAlone(String text, int begin, int end) {
        return (begin == 0 || !isWord(text.codePointBefore(begin)))
                && (end == text.length() || !isWord(text.codePointAt(end)));
    }

    /** What {@code \\w} is in a Unicode regular expression. */
    private static boolean isWord(int character) {
        return Character.isAlphabetic(character)
                || WORD_TYPES.contains(Character.getType(character))
                || character == '\u200C'
                || character == '\u200D';
    }

    /** Unicode's White_Space, which is neither of Java's two notions of it. */
    private static boolean isSpace(char character) {
        return Character.isSpaceChar(character) || character >= '\t' && character <= '\r' || character == '\u0085';
    }
}
