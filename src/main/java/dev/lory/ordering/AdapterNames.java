package dev.lory.ordering;

import java.util.Optional;

/** What an adapter may be called. */
public final class AdapterNames {
    private static final int LONGEST = 256;

    private AdapterNames() {}

    /** Why {@code name} cannot be an adapter's name; empty if it can. */
    public static Optional<String> fault(String name) {
        if (name.isBlank()) {
            return Optional.of("is empty");
        }
        if (name.length() > LONGEST) {
            return Optional.of("has " + name.length() + " characters, at most " + LONGEST + " are allowed");
        }
        if (!name.equals(name.strip()) || name.chars().anyMatch(Character::isISOControl)) {
            return Optional.of("has spaces around it or control characters in it");
        }
        if (name.contains(",")) {
            return Optional.of("`" + name + "` has a comma, which separates names in metrics");
        }
        // Requests say base:adapter.
        return name.contains(":")
                ? Optional.of("`" + name + "` has a colon, which separates base and adapter")
                : Optional.empty();
    }
}
