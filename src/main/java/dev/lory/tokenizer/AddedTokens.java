package dev.lory.tokenizer;

import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.IntConsumer;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** Cuts text at added tokens, the longest first; and marks text in which special ones must stay text. */
final class AddedTokens {
    /** A noncharacter, which no text has a use for: it stands where a special token was taken apart. */
    private static final String SENTINEL = "\uFDD0";

    private static final int[] NONE = {};

    private final Map<String, AddedToken> byText = new HashMap<>();

    /** The lengths of tokens by their first character, longest first: many tokens, few lengths. */
    private final Map<Character, int[]> lengths;

    /** Every beginning of a special token that is not all of it. */
    private final Set<String> beginnings;

    private final int longestBeginning;
    private final Set<Integer> specialIds;

    AddedTokens(List<AddedToken> tokens) {
        tokens.stream().filter(AddedTokens::isLookedFor).forEach(token -> byText.putIfAbsent(token.text(), token));
        lengths = byText.keySet().stream()
                .collect(Collectors.groupingBy(
                        text -> text.charAt(0),
                        Collectors.collectingAndThen(Collectors.toList(), AddedTokens::distinctLengths)));
        List<AddedToken> special = tokens.stream().filter(AddedToken::special).toList();
        specialIds = special.stream().map(AddedToken::id).collect(Collectors.toUnmodifiableSet());
        beginnings = special.stream()
                .map(AddedToken::text)
                .flatMap(text -> IntStream.range(1, text.length()).mapToObj(end -> text.substring(0, end)))
                .collect(Collectors.toUnmodifiableSet());
        longestBeginning = beginnings.stream().mapToInt(String::length).max().orElse(0);
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

    private static int[] distinctLengths(List<String> texts) {
        return texts.stream()
                .map(String::length)
                .distinct()
                .sorted(Comparator.reverseOrder())
                .mapToInt(length -> length)
                .toArray();
    }

    private @Nullable AddedToken match(String text, int at, boolean special) {
        for (int length : lengths.getOrDefault(text.charAt(at), NONE)) {
            @Nullable
            AddedToken token = at + length > text.length() ? null : byText.get(text.substring(at, at + length));
            if (token != null
                    && (special || !token.special())
                    && (!token.singleWord() || standsAlone(text, at, at + length))) {
                return token;
            }
        }
        return null;
    }

    private boolean beginsSpecial(String text, int at) {
        for (int length : lengths.getOrDefault(text.charAt(at), NONE)) {
            @Nullable
            AddedToken token = at + length > text.length() ? null : byText.get(text.substring(at, at + length));
            if (token != null && token.special()) {
                return true;
            }
        }
        return false;
    }

    private boolean endsInBeginning(String text) {
        return IntStream.rangeClosed(1, Math.min(longestBeginning, text.length()))
                .anyMatch(length -> beginnings.contains(text.substring(text.length() - length)));
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

    private static boolean isWord(int character) {
        return Character.isLetterOrDigit(character) || character == '_';
    }

    /** Unicode's White_Space, which is neither of Java's two notions of it. */
    private static boolean isSpace(char character) {
        return Character.isSpaceChar(character) || character >= '\t' && character <= '\r' || character == '\u0085';
    }
}
