package dev.lory.adapter;

import static dev.lory.error.ErrorCode.INVALID_ADAPTER;

import dev.lory.error.ServiceException;
import java.util.OptionalInt;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;

/**
 * A regular expression for module paths as PEFT writes them, in Python's syntax. What Java reads otherwise is refused, and so is what takes
 * too long: an adapter comes from outside.
 *
 * @param field of adapter_config.json that it stands in
 */
record ModulePattern(String field, Pattern pattern) {
    private static final int MAX_STEPS = 1_000_000;

    /** @throws ServiceException {@code INVALID_ADAPTER} naming the field */
    static ModulePattern of(String field, String regex) {
        if (differsInJava(regex)) {
            throw refused(field, "has a character class with [ or && in it, which Java and Python read differently");
        }
        try {
            return new ModulePattern(field, Pattern.compile(regex));
        } catch (PatternSyntaxException e) {
            throw refused(field, "is no regular expression: " + e.getDescription());
        } catch (StackOverflowError e) {
            throw refused(field, "is nested too deeply");
        }
    }

    /** Inside a class Java knows unions and intersections, which Python takes as characters. */
    private static boolean differsInJava(String regex) {
        boolean inClass = false;
        for (int i = 0; i < regex.length(); i++) {
            char c = regex.charAt(i);
            if (c == '\\') {
                i++;
            } else if (inClass && (c == '[' || regex.startsWith("&&", i))) {
                return true;
            } else {
                inClass = c == '[' || inClass && c != ']';
            }
        }
        return false;
    }

    /** Python's {@code re.fullmatch}. */
    boolean matchesAll(String path) {
        return run(path, Matcher::matches);
    }

    /** Python's {@code re.match}: from the start, to wherever it ends. */
    boolean matchesStart(String path) {
        return run(path, Matcher::lookingAt);
    }

    /** The number in the first group of {@code re.match}, if it matches. */
    OptionalInt number(String path) {
        return run(
                path,
                matcher ->
                        matcher.lookingAt() ? OptionalInt.of(Integer.parseInt(matcher.group(1))) : OptionalInt.empty());
    }

    private <T> T run(String path, Function<Matcher, T> match) {
        try {
            return match.apply(pattern.matcher(new Steps(path, new int[1])));
        } catch (OutOfStepsException | StackOverflowError e) {
            throw refused(field, "takes more than " + MAX_STEPS + " steps on " + path);
        }
    }

    private static ServiceException refused(String field, String why) {
        return new ServiceException(INVALID_ADAPTER, field + " " + why);
    }

    /** A path that counts how often a character of it is looked at. */
    private record Steps(String path, int[] taken) implements CharSequence {
        @Override
        public int length() {
            return path.length();
        }

        @Override
        public char charAt(int index) {
            if (++taken[0] > MAX_STEPS) {
                throw new OutOfStepsException();
            }
            return path.charAt(index);
        }

        @Override
        public CharSequence subSequence(int start, int end) {
            return path.substring(start, end);
        }

        @Override
        public String toString() {
            return path;
        }
    }

    private static final class OutOfStepsException extends RuntimeException {
        private static final long serialVersionUID = 1;

        OutOfStepsException() {
            super("too many steps", null, false, false);
        }
    }
}
