package dev.lory.ordering;

import java.util.List;
import java.util.Map;

/**
 * One thing to know about an ordering file.
 *
 * @param path where, such as {@code preload_adapters[0].name}; empty = the file as a whole
 * @param detail what was found and what was wanted
 */
public record Finding(Severity severity, String path, String detail) {
    /** Whether it stands in the way. */
    public enum Severity {
        /** The file cannot be used. */
        ERROR,
        /** It can, but perhaps not as meant. */
        WARNING
    }

    static Finding error(String path, String detail) {
        return new Finding(Severity.ERROR, path, detail);
    }

    static Finding warning(String path, String detail) {
        return new Finding(Severity.WARNING, path, detail);
    }

    /** As a JSON value, for {@link dev.lory.error.ServiceException#members}. */
    public Map<String, Object> toMap() {
        return Map.of("severity", severity.name(), "path", path, "detail", detail);
    }

    static List<Map<String, Object>> toMaps(List<Finding> findings) {
        return findings.stream().map(Finding::toMap).toList();
    }
}
