package dev.lory.api.admin;

import dev.lory.error.ErrorCode;
import dev.lory.error.ServiceException;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Activation revisions as entity tags (RFC 9110, 8.8.3 and 13.1.1). */
final class Revisions {
    private static final Pattern TAG = Pattern.compile("\"?(\\d{1,18})\"?");

    private Revisions() {}

    static String tag(long revision) {
        return "\"" + revision + "\"";
    }

    /**
     * The revision of an {@code If-Match} header.
     *
     * @param header empty = there was none
     * @throws ServiceException {@code PRECONDITION_REQUIRED} if there was none, {@code INVALID_REQUEST} if it is no revision
     */
    static long expected(String header, long current) {
        if (header.isBlank()) {
            throw new ServiceException(
                    ErrorCode.PRECONDITION_REQUIRED,
                    "If-Match is required: the ETag of the activation to replace; the current one is " + tag(current),
                    Map.of("current_revision", current));
        }
        Matcher revision = TAG.matcher(header.strip());
        if (!revision.matches()) {
            throw ServiceException.invalid(
                    "If-Match", "If-Match must be one revision such as " + tag(current) + " but is " + header);
        }
        return Long.parseLong(revision.group(1));
    }
}
