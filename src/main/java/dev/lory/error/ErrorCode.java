package dev.lory.error;

/** What went wrong, as a stable code; the name in lower case is the {@code code} that clients see. */
public enum ErrorCode {
    /** A field of a request is missing, has the wrong type or is out of bounds. */
    INVALID_REQUEST(Kind.USER),
    /** Prompt, or prompt and {@code max_tokens}, do not fit the context. */
    CONTEXT_LENGTH_EXCEEDED(Kind.USER),
    /** One request selects adapters in two ways that disagree. */
    ADAPTER_SELECTION_CONFLICT(Kind.USER),
    /** An adapter folder that cannot be honoured: malformed, unsupported, or made for another base. */
    INVALID_ADAPTER(Kind.USER),
    /** An ordering file with findings. */
    INVALID_ORDERING(Kind.USER),
    /** An alias with findings. */
    INVALID_ALIAS(Kind.USER),
    /** A model file or folder that is malformed or not understood. */
    INVALID_MODEL(Kind.USER),
    /** A chat template that cannot be parsed, or that refused the messages. */
    INVALID_TEMPLATE(Kind.USER),
    /** A tensor of a type that this place cannot compute with. */
    UNSUPPORTED_DTYPE(Kind.USER),
    /** A command line or configuration value that cannot be used. */
    INVALID_CONFIGURATION(Kind.USER),
    /** Understood, and deliberately not offered. */
    UNSUPPORTED(Kind.UNSUPPORTED),
    /** No key, or a wrong one. */
    UNAUTHENTICATED(Kind.UNAUTHENTICATED),
    /** No model, adapter or alias of that name is served. */
    MODEL_NOT_FOUND(Kind.NOT_FOUND),
    /** No adapter of that name is registered. */
    ADAPTER_NOT_FOUND(Kind.NOT_FOUND),
    /** No such resource. */
    NOT_FOUND(Kind.NOT_FOUND),
    /** The state does not allow it. */
    CONFLICT(Kind.CONFLICT),
    /** {@code expected_generation} is not what the adapter has. */
    LORA_GENERATION_MISMATCH(Kind.CONFLICT),
    /** {@code If-Match} names a revision that is not the current one. */
    REVISION_CONFLICT(Kind.CONFLICT),
    /** A replacing request came without {@code If-Match}. */
    PRECONDITION_REQUIRED(Kind.PRECONDITION_REQUIRED),
    /** The request is larger than the service takes. */
    TOO_LARGE(Kind.TOO_LARGE),
    /** A tenant or an adapter has had as much as it may; try again later. */
    RATE_LIMIT_EXCEEDED(Kind.CAPACITY),
    /** An adapter of that name is being loaded at the moment. */
    LORA_LOAD_BUSY(Kind.CAPACITY),
    /** Too many requests wait; try again later. */
    OVERLOADED(Kind.CAPACITY),
    /** Not now: a model, adapter or worker is not ready, or memory is short. */
    UNAVAILABLE(Kind.UNAVAILABLE),
    /** A defect of the service. */
    INTERNAL(Kind.INTERNAL);

    /** Who has to act; the API maps a kind to a status. */
    public enum Kind {
        USER,
        UNAUTHENTICATED,
        NOT_FOUND,
        CONFLICT,
        PRECONDITION_REQUIRED,
        TOO_LARGE,
        CAPACITY,
        UNAVAILABLE,
        UNSUPPORTED,
        INTERNAL
    }

    private final Kind kind;

    ErrorCode(Kind kind) {
        this.kind = kind;
    }

    public Kind kind() {
        return kind;
    }
}
