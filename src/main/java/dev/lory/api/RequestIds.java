package dev.lory.api;

import io.quarkus.vertx.http.runtime.filters.Filters;
import io.vertx.ext.web.RoutingContext;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import java.util.Optional;
import java.util.UUID;

/** Every answer has an {@code x-request-id}: the client's own, or a new one. */
@ApplicationScoped
class RequestIds {
    private static final String HEADER = "x-request-id";
    private static final int MAX_LENGTH = 128;
    private static final int BEFORE_ALL_OTHERS = 1000;

    void register(@Observes Filters filters) {
        filters.register(RequestIds::label, BEFORE_ALL_OTHERS);
    }

    private static void label(RoutingContext context) {
        String id = Optional.ofNullable(context.request().getHeader(HEADER))
                .filter(sent -> sent.length() <= MAX_LENGTH)
                .orElseGet(() -> UUID.randomUUID().toString());
        context.response().putHeader(HEADER, id);
        context.next();
    }
}
