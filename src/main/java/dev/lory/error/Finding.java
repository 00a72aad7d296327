package dev.lory.error;

import java.util.List;
import java.util.Map;

/**
 * One thing to know about what a user gave: an ordering file, an adapter.
 *
 * @param path where, such as {@code preload_adapters[0].name} or the name of a tensor; empty = all of it
 * @param detail what was found and what was wanted
 */
public record Finding(Severity severity, String path, String detail) {
    /** Whether it stands in the way. */
    public enum Severity {
        /** It cannot be used. */
        ERROR,
        /** It can, but perhaps not as meant. */
        WARNING
    }

    public static Finding error(String path, String detail) {
        return new Finding(Severity.ERROR, path, detail);
    }

    public static Finding warning(String path, String detail) {
        return new Finding(Severity.WARNING, path, detail);
    }

    /** As a JSON value, for {@link ServiceException#members}. */
    public Map<String, Object> toMap() {
        return Map.of("severity", severity.name(), "path", path, "detail", detail);
    }

    /**
     * Throws if a finding is an error, with all of them as member {@code findings}.
     *
     * @param what has them, for the sentence: "the ordering file"
     */
    public static void refuseErrors(ErrorCode code, String what, List<Finding> findings) {
        List<Finding> errors = findings.stream()
                .filter(finding -> finding.severity() == Severity.ERROR)
                .toList();
        if (!errors.isEmpty()) {
            Finding first = errors.getFirst();
            throw new ServiceException(
                    code,
                    what + " has " + (errors.size() == 1 ? "an error: " : errors.size() + " errors, first: ")
                            + (first.path().isEmpty() ? "" : first.path() + ": ") + first.detail(),
                    Map.of("findings", findings.stream().map(Finding::toMap).toList()));
        }
    }
}
