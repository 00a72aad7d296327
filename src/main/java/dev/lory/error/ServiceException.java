package dev.lory.error;

import java.io.IOException;
import java.nio.file.FileSystemException;
import java.util.Map;

/** An error with a code and one sentence that names the thing: file, tensor, path or field, what was found, what was wanted. */
public final class ServiceException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final ErrorCode code;
    private final transient Map<String, Object> members;

    public ServiceException(ErrorCode code, String detail) {
        this(code, detail, Map.of());
    }

    /** @param members further facts for the client, such as {@code param} or {@code findings}; JSON values */
    public ServiceException(ErrorCode code, String detail, Map<String, Object> members) {
        super(detail);
        this.code = code;
        this.members = Map.copyOf(members);
    }

    /** As {@link #ServiceException(ErrorCode, String)}, with the failure below it, for the log only. */
    public ServiceException(ErrorCode code, String detail, Throwable cause) {
        super(detail, cause);
        this.code = code;
        this.members = Map.of();
    }

    /** The request field {@code param} is wrong. */
    public static ServiceException invalid(String param, String detail) {
        return new ServiceException(ErrorCode.INVALID_REQUEST, detail, Map.of("param", param));
    }

    /** What a failure to read or write means, in words; file system exceptions otherwise show only the path. */
    public static String reason(IOException e) {
        if (e instanceof FileSystemException failure && failure.getReason() != null) {
            return failure.getReason() + " (" + failure.getFile() + ")";
        }
        return e.getClass().getSimpleName().replace("Exception", "") + ": " + e.getMessage();
    }

    public ErrorCode code() {
        return code;
    }

    public Map<String, Object> members() {
        return members;
    }

    /** What happened, in one sentence. */
    public String detail() {
        return String.valueOf(getMessage());
    }
}
