package dev.lory.api.admin;

import dev.lory.error.ErrorCode;
import dev.lory.error.ServiceException;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Revisions as entity tags (RFC 9110, 8.8.3, 13.1.1 and 13.1.2). */
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
                    "If-Match is required: the ETag of what is to be replaced; the current one is " + tag(current),
                    Map.of("current_revision", current));
        }
        Matcher revision = TAG.matcher(header.strip());
        if (!revision.matches()) {
            throw ServiceException.invalid(
                    "If-Match", "If-Match must be one revision such as " + tag(current) + " but is " + header);
        }
        return Long.parseLong(revision.group(1));
    }

    /**
     * As {@link #expected(String, long)}, of something that may not be there, which is revision 0.
     *
     * @param ifNoneMatch {@code *} = it must not be there; empty = there was no such header
     * @throws ServiceException as there, {@code INVALID_REQUEST} also for both headers at once
     */
    static long expected(String ifMatch, String ifNoneMatch, long current) {
        if (ifNoneMatch.isBlank()) {
            return expected(ifMatch, current);
        }
        if (!ifNoneMatch.strip().equals("*") || !ifMatch.isBlank()) {
            throw ServiceException.invalid(
                    "If-None-Match", "If-None-Match must be *, without If-Match, but is " + ifNoneMatch);
        }
        return 0;
    }
}
