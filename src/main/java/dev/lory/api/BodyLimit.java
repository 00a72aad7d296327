package dev.lory.api;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.lory.error.ErrorCode;
import dev.lory.error.ServiceException;
import io.quarkus.runtime.configuration.MemorySize;
import io.quarkus.vertx.http.runtime.VertxHttpRecorder;
import io.quarkus.vertx.http.runtime.filters.Filters;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.ext.web.RoutingContext;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import jakarta.ws.rs.core.Response;
import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.jboss.logging.Logger;

/** Refuses a body that says it is too long, with the envelope of its path: the server itself would answer a bare 413. */
@ApplicationScoped
class BodyLimit {
    private static final Logger LOG = Logger.getLogger(BodyLimit.class);
    /** After {@link RequestIds}, before the server's own limit. */
    private static final int EARLY = 900;
    /** After the server has set its own limit for chunks. */
    private static final int LATE = 1;

    /** Where adapters are uploaded, which go to disk as they come; all other bodies are held in memory. */
    private static final String UPLOADS = "/api/v1/adapters";
    /** For what a form has besides its files. */
    private static final long FORM_BYTES = 2 << 20;

    private final long limit;
    private final long uploadLimit;
    private final ObjectMapper json;

    BodyLimit(
            @ConfigProperty(name = "lory.max-body-bytes") MemorySize limit,
            @ConfigProperty(name = "lory.max-adapter-bytes") long maxAdapterBytes,
            ObjectMapper json) {
        this.limit = limit.asLongValue();
        this.uploadLimit = maxAdapterBytes + FORM_BYTES;
        this.json = json;
    }

    void register(@Observes Filters filters) {
        filters.register(this::check, EARLY);
        filters.register(this::limitChunks, LATE);
    }

    /** What comes in chunks is counted by who reads it, up to the limit of its path. */
    private void limitChunks(RoutingContext context) {
        context.put(VertxHttpRecorder.MAX_REQUEST_SIZE_KEY, allowed(context.request()));
        context.next();
    }

    private long allowed(HttpServerRequest request) {
        return isUpload(request) ? uploadLimit : limit;
    }

    private void check(RoutingContext context) {
        long length = length(context.request());
        long allowed = allowed(context.request());
        if (length <= allowed) {
            context.next();
            return;
        }
        String detail = "the body has " + length + " bytes and may have at most " + allowed;
        Response refusal =
                ErrorMapper.envelope(new ServiceException(ErrorCode.TOO_LARGE, detail), context.normalizedPath());
        // The body is not read: what follows on this connection is no request.
        context.response()
                .setStatusCode(refusal.getStatus())
                .putHeader("Content-Type", refusal.getMediaType().toString())
                .putHeader("Connection", "close")
                .end(text(refusal.getEntity()))
                .onComplete(sent -> context.request().connection().close());
    }

    private static boolean isUpload(HttpServerRequest request) {
        String type = request.getHeader("Content-Type");
        return UPLOADS.equals(request.path()) && type != null && type.startsWith("multipart/form-data");
    }

    private static long length(HttpServerRequest request) {
        String header = request.getHeader("Content-Length");
        try {
            return header == null ? 0 : Long.parseLong(header);
        } catch (NumberFormatException e) {
            LOG.debugf("Content-Length: %s", header);
            return 0; // the server refuses it
        }
    }

    private String text(Object entity) {
        try {
            return json.writeValueAsString(entity);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }
}
