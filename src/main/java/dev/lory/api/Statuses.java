package dev.lory.api;

import dev.lory.error.ErrorCode;

/** The HTTP status of each error. */
public final class Statuses {
    private Statuses() {}

    /** By kind; files and aliases that are well-formed requests but cannot be honoured are 422. */
    public static int of(ErrorCode code) {
        if (code == ErrorCode.INVALID_ORDERING
                || code == ErrorCode.INVALID_ADAPTER
                || code == ErrorCode.INVALID_ALIAS) {
            return 422;
        }
        return switch (code.kind()) {
            case USER -> 400;
            case UNAUTHENTICATED -> 401;
            case NOT_FOUND -> 404;
            case CONFLICT -> 409;
            case PRECONDITION_REQUIRED -> 428;
            case TOO_LARGE -> 413;
            case CAPACITY -> 429;
            case UNAVAILABLE -> 503;
            case UNSUPPORTED -> 501;
            case INTERNAL -> 500;
        };
    }
}
