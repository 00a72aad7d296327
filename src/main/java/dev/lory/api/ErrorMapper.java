package dev.lory.api;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonMappingException;
import com.fasterxml.jackson.databind.exc.MismatchedInputException;
import dev.lory.error.ErrorCode;
import dev.lory.error.ServiceException;
import jakarta.ws.rs.WebApplicationException;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.Response;
import jakarta.ws.rs.core.UriInfo;
import java.sql.SQLException;
import java.util.Map;
import java.util.stream.Collectors;
import org.jboss.logging.Logger;
import org.jboss.resteasy.reactive.server.ServerExceptionMapper;
import org.jspecify.annotations.Nullable;

/** Turns whatever a resource throws into the envelope of its path; no stack trace leaves the service. */
public class ErrorMapper {
    private static final Logger LOG = Logger.getLogger(ErrorMapper.class);

    @ServerExceptionMapper
    Response service(ServiceException e, @Context UriInfo uri) {
        if (e.code() == ErrorCode.INTERNAL) {
            LOG.errorf(e, "path=%s", uri.getPath());
            return envelope(defect(), uri.getPath());
        }
        return envelope(e, uri.getPath());
    }

    @ServerExceptionMapper
    Response web(WebApplicationException e, @Context UriInfo uri) {
        if (e.getCause() instanceof JsonProcessingException json) {
            return json(json, uri);
        }
        int status = e.getResponse().getStatus();
        ErrorCode code = switch (status) {
            case 401 -> ErrorCode.UNAUTHENTICATED;
            case 404 -> ErrorCode.NOT_FOUND;
            case 413 -> ErrorCode.TOO_LARGE;
            default -> status < 500 ? ErrorCode.INVALID_REQUEST : ErrorCode.INTERNAL;
        };
        String path = uri.getPath();
        String detail = switch (status) {
            case 404 -> "there is nothing at " + path;
            case 405 -> path + " does not take this method";
            case 406 -> path + " has none of the media types of the Accept header";
            case 415 -> path + " does not take this Content-Type";
            default -> e.getResponse().getStatusInfo().getReasonPhrase();
        };
        return envelope(new ServiceException(code, detail), status, path);
    }

    @ServerExceptionMapper
    Response mismatch(MismatchedInputException e, @Context UriInfo uri) {
        return json(e, uri);
    }

    @ServerExceptionMapper
    Response json(JsonProcessingException e, @Context UriInfo uri) {
        return service(explained(e), uri);
    }

    @ServerExceptionMapper
    Response other(Throwable e, @Context UriInfo uri) {
        if (isDatabaseAway(e)) {
            LOG.warnf("path=%s: the database cannot be reached: %s", uri.getPath(), e.getMessage());
            return service(
                    new ServiceException(
                            ErrorCode.UNAVAILABLE, "the database cannot be reached at the moment; try again later"),
                    uri);
        }
        LOG.errorf(e, "path=%s", uri.getPath());
        return envelope(defect(), uri.getPath());
    }

    /** The one place that knows which path has which envelope. */
    private static Response envelope(ServiceException error, int status, String path) {
        return ApiPath.of(path).envelope().of(error, status);
    }

    /** The answer that tells an error to a client of {@code path}. */
    static Response envelope(ServiceException error, String path) {
        return envelope(error, Statuses.of(error.code()), path);
    }

    private static ServiceException defect() {
        return new ServiceException(ErrorCode.INTERNAL, "the service failed; its log has the cause");
    }

    /** A JSON error, told by the field it is about. */
    public static ServiceException explained(JsonProcessingException e) {
        if (e instanceof JsonMappingException mapping && !mapping.getPath().isEmpty()) {
            String field = mapping.getPath().stream()
                    .map(step -> step.getFieldName() == null ? "[" + step.getIndex() + "]" : "." + step.getFieldName())
                    .collect(Collectors.joining())
                    .replaceFirst("^\\.", "");
            return new ServiceException(
                    ErrorCode.INVALID_REQUEST, field + " cannot be read: " + wanted(e), Map.of("param", field));
        }
        String where = e.getLocation() == null
                ? ""
                : " at line " + e.getLocation().getLineNr() + ", column "
                        + e.getLocation().getColumnNr();
        return new ServiceException(ErrorCode.INVALID_REQUEST, "the body is not JSON" + where + ": " + wanted(e));
    }

    private static String wanted(JsonProcessingException e) {
        return e instanceof MismatchedInputException mismatch && mismatch.getTargetType() != null
                ? "wanted " + mismatch.getTargetType().getSimpleName()
                : String.valueOf(e.getOriginalMessage());
    }

    private static boolean isDatabaseAway(Throwable e) {
        for (@Nullable Throwable cause = e; cause != null; cause = cause.getCause()) {
            String state = cause instanceof SQLException sql ? sql.getSQLState() : null;
            // Class 08: no connection; 57P: the server is shutting down or starting.
            if (state != null && (state.startsWith("08") || state.startsWith("57P"))) {
                return true;
            }
        }
        return false;
    }
}
