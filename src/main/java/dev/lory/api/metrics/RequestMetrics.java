package dev.lory.api.metrics;

import dev.lory.worker.GenerationEvent.Usage;
import dev.lory.worker.GenerationRequest.WeightedAdapter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import jakarta.enterprise.context.ApplicationScoped;
import java.time.Duration;
import java.util.List;

/**
 * What requests took. Histograms are of all requests, under vLLM's names; for each adapter there are sums only, because there may be a
 * thousand. A request with several adapters counts for each of them, one without for {@code base}.
 */
@ApplicationScoped
public class RequestMetrics {
    private static final Duration[] BOUNDS = {
        Duration.ofMillis(50),
        Duration.ofMillis(100),
        Duration.ofMillis(250),
        Duration.ofMillis(500),
        Duration.ofSeconds(1),
        Duration.ofMillis(2500),
        Duration.ofSeconds(5),
        Duration.ofSeconds(10),
        Duration.ofSeconds(30),
        Duration.ofSeconds(60)
    };

    private final MeterRegistry registry;

    RequestMetrics(MeterRegistry registry) {
        this.registry = registry;
    }

    /**
     * How long a request took.
     *
     * @param queued until its first prompt was being computed
     * @param firstToken until the first text of any choice
     * @param whole until the end of the last
     */
    public record Times(Duration queued, Duration firstToken, Duration whole) {}

    /**
     * All choices of a request have ended.
     *
     * @param model the base model
     * @param adapters all choices ran with
     */
    public void finished(String model, List<WeightedAdapter> adapters, List<Usage> usages, Times times) {
        List<String> names = adapters.isEmpty()
                ? List.of("base")
                : adapters.stream().map(WeightedAdapter::name).toList();
        histogram("time_to_first_token", model).record(times.firstToken());
        histogram("request_queue_time", model).record(times.queued());
        histogram("e2e_request_latency", model).record(times.whole());
        int tokens = usages.stream().mapToInt(Usage::completionTokens).sum();
        for (String name : names) {
            registry.counter("lory_adapter_requests", "adapter", name).increment();
            registry.counter("lory_adapter_generated_tokens", "adapter", name).increment(tokens);
            registry.timer("lory_adapter_time_to_first_token", "adapter", name).record(times.firstToken());
            registry.timer("lory_adapter_queue_time", "adapter", name).record(times.queued());
        }
    }

    private Timer histogram(String name, String model) {
        return Timer.builder("vllm:" + name)
                .tag("model_name", model)
                .serviceLevelObjectives(BOUNDS)
                .register(registry);
    }
}
