package dev.lory.api.metrics;

import dev.lory.registry.WorkerDirectory;
import io.micrometer.core.instrument.config.MeterFilter;
import io.micrometer.prometheus.PrometheusConfig;
import io.micrometer.prometheus.PrometheusMeterRegistry;
import jakarta.enterprise.inject.Produces;
import jakarta.inject.Singleton;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import java.util.concurrent.atomic.AtomicLong;
import org.eclipse.microprofile.openapi.annotations.Operation;
import org.eclipse.microprofile.openapi.annotations.responses.APIResponse;
import org.eclipse.microprofile.openapi.annotations.tags.Tag;

/**
 * All metrics in Prometheus' text format 0.0.4, whatever is asked for: routers of the Kubernetes gateway read nothing else, and send no
 * {@code Accept}.
 */
@Path("/metrics")
@Tag(name = "Operation")
public class MetricsResource {
    private static final String FORMAT = "text/plain; version=0.0.4; charset=utf-8";

    private final WorkerDirectory workers;
    private final PrometheusMeterRegistry registry;
    /** Milliseconds; a clock that is put back does not take it along. */
    private final AtomicLong latest = new AtomicLong();

    MetricsResource(WorkerDirectory workers, PrometheusMeterRegistry registry) {
        this.workers = workers;
        this.registry = registry;
    }

    /** Where requests and the JVM are counted. */
    @Produces
    @Singleton
    static PrometheusMeterRegistry registry() {
        PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
        // Its samples would be of a type that the format does not have.
        registry.config().meterFilter(MeterFilter.denyNameStartsWith("http.server.connections"));
        return registry;
    }

    @GET
    @jakarta.ws.rs.Produces(FORMAT)
    @Operation(operationId = "metrics", summary = "Metrics for Prometheus, with vLLM's names")
    @APIResponse(responseCode = "200", description = "text format 0.0.4")
    public String metrics() {
        long now = latest.accumulateAndGet(System.currentTimeMillis(), Math::max);
        String worker = workers.isReady() ? WorkerMetrics.text(workers.status(), workers.xloras(), now / 1e3) : "";
        return worker + registry.scrape();
    }
}
