package dev.lory.cli;

import static dev.lory.error.ErrorCode.INVALID_CONFIGURATION;

import dev.lory.error.ServiceException;
import java.io.Console;
import java.util.List;
import java.util.stream.Stream;

/** Asks for what was not given as a flag, where somebody can answer. */
final class Prompt {
    private Prompt() {}

    /**
     * The flag's value, or what the user types.
     *
     * @param given empty = the flag was not given
     * @throws ServiceException {@code INVALID_CONFIGURATION} naming the flag, where there is no terminal, or nothing was typed
     */
    static String ask(String flag, String given, String question) {
        String answer = given.isBlank() ? typed(question) : given;
        if (answer.isBlank()) {
            throw new ServiceException(INVALID_CONFIGURATION, flag + " is required");
        }
        return answer.strip();
    }

    /** As {@link #ask}, for names with commas between them; empty ones are dropped. */
    static List<String> list(String flag, String given, String question) {
        return Stream.of(ask(flag, given, question).split(",", -1))
                .map(String::strip)
                .filter(name -> !name.isEmpty())
                .toList();
    }

    private static String typed(String question) {
        Console console = System.console();
        if (console == null || !console.isTerminal()) {
            return "";
        }
        String line = console.readLine("%s", question);
        return line == null ? "" : line;
    }
}
