package dev.lory.api;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.lory.error.ErrorCode;
import dev.lory.error.ServiceException;
import io.quarkus.runtime.configuration.MemorySize;
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

    private final long limit;
    private final ObjectMapper json;

    BodyLimit(@ConfigProperty(name = "quarkus.http.limits.max-body-size") MemorySize limit, ObjectMapper json) {
        this.limit = limit.asLongValue();
        this.json = json;
    }

    void register(@Observes Filters filters) {
        filters.register(this::check, EARLY);
    }

    private void check(RoutingContext context) {
        long length = length(context.request());
        if (length <= limit) {
            context.next();
            return;
        }
        String detail = "the body has " + length + " bytes and may have at most " + limit;
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
