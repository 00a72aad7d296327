package dev.lory.api;

import dev.lory.registry.WorkerDirectory;
import dev.lory.worker.WorkerStatus;
import dev.lory.worker.WorkerStatus.AdapterStatus;
import dev.lory.worker.WorkerStatus.EngineStatus;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.quarkus.runtime.StartupEvent;
import jakarta.enterprise.event.Observes;
import jakarta.inject.Singleton;
import java.util.function.ToDoubleFunction;

/** The engine's state as metrics, under vLLM's names, so that its dashboards and the Kubernetes inference gateway read them. */
@Singleton
class EngineMetrics {
    private final WorkerDirectory workers;
    private final MeterRegistry registry;

    EngineMetrics(WorkerDirectory workers, MeterRegistry registry) {
        this.workers = workers;
        this.registry = registry;
    }

    void register(@Observes StartupEvent started) {
        gauge("vllm:num_requests_running", EngineStatus::running);
        gauge("vllm:num_requests_waiting", EngineStatus::waiting);
        gauge("vllm:kv_cache_usage_perc", EngineStatus::kvUsage);
        counter("vllm:prompt_tokens", EngineStatus::promptTokensTotal);
        counter("vllm:generation_tokens", EngineStatus::generatedTokensTotal);
        counter("vllm:num_preemptions", EngineStatus::preemptionsTotal);
        counter("vllm:prefix_cache_hits", EngineStatus::cachedTokensTotal);
        counter("vllm:prefix_cache_queries", EngineStatus::promptTokensTotal);
        counter("engine_steps", EngineStatus::stepsTotal);
        Gauge.builder("adapter_resident_bytes", workers, EngineMetrics::residentBytes)
                .register(registry);
        for (AdapterStatus.State state : AdapterStatus.State.values()) {
            Gauge.builder("adapters", workers, directory -> count(directory, state))
                    .tag("state", state.name())
                    .register(registry);
        }
    }

    private void gauge(String name, ToDoubleFunction<EngineStatus> value) {
        Gauge.builder(name, workers, directory -> read(directory, value)).register(registry);
    }

    private void counter(String name, ToDoubleFunction<EngineStatus> value) {
        FunctionCounter.builder(name, workers, directory -> read(directory, value))
                .register(registry);
    }

    private static double read(WorkerDirectory directory, ToDoubleFunction<EngineStatus> value) {
        return directory.isReady() ? value.applyAsDouble(directory.status().engine()) : 0;
    }

    private static double residentBytes(WorkerDirectory directory) {
        return directory.isReady()
                ? directory.status().adapters().stream()
                        .mapToLong(AdapterStatus::bytes)
                        .sum()
                : 0;
    }

    private static double count(WorkerDirectory directory, AdapterStatus.State state) {
        if (!directory.isReady()) {
            return 0;
        }
        WorkerStatus status = directory.status();
        return status.adapters().stream()
                .filter(adapter -> adapter.state() == state)
                .count();
    }
}
