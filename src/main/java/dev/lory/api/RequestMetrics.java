package dev.lory.api;

import dev.lory.worker.GenerationEvent.Usage;
import dev.lory.worker.GenerationRequest;
import dev.lory.worker.GenerationRequest.WeightedAdapter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.Timer;
import jakarta.enterprise.context.ApplicationScoped;
import java.time.Duration;
import java.util.List;
import java.util.stream.Collectors;

/** What requests took, by adapters: first token, whole answer, tokens. Names as vLLM's where it has them. */
@ApplicationScoped
public class RequestMetrics {
    private final MeterRegistry registry;

    RequestMetrics(MeterRegistry registry) {
        this.registry = registry;
    }

    /** A request begins; all its choices run with the same adapters. */
    public Running start(GenerationRequest request) {
        String adapters = request.adapters().isEmpty()
                ? "base"
                : request.adapters().stream()
                        .map(WeightedAdapter::name)
                        .sorted()
                        .collect(Collectors.joining("+"));
        return new Running(Tags.of("adapter", adapters));
    }

    private Timer timer(String name, Tags tags) {
        return Timer.builder(name)
                .tags(tags)
                .serviceLevelObjectives(
                        Duration.ofMillis(50),
                        Duration.ofMillis(100),
                        Duration.ofMillis(250),
                        Duration.ofMillis(500),
                        Duration.ofSeconds(1),
                        Duration.ofMillis(2500),
                        Duration.ofSeconds(5),
                        Duration.ofSeconds(10),
                        Duration.ofSeconds(30),
                        Duration.ofSeconds(60))
                .register(registry);
    }

    /** One request under way. */
    public final class Running {
        private final Tags tags;
        private final Timer.Sample sample = Timer.start(registry);
        private boolean begun;

        private Running(Tags tags) {
            this.tags = tags;
        }

        /** Text goes out; the first time is the one that counts. */
        public void token() {
            if (!begun) {
                begun = true;
                sample.stop(timer("vllm:time_to_first_token", tags));
            }
        }

        /** All choices have ended. */
        public void finished(List<Usage> usages) {
            sample.stop(timer("vllm:e2e_request_latency", tags));
            registry.counter("adapter_requests", tags).increment();
            registry.counter("adapter_generated_tokens", tags)
                    .increment(usages.stream().mapToInt(Usage::completionTokens).sum());
        }
    }
}
