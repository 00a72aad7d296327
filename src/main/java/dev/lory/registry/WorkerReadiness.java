package dev.lory.registry;

import jakarta.enterprise.context.ApplicationScoped;
import org.eclipse.microprofile.health.HealthCheck;
import org.eclipse.microprofile.health.HealthCheckResponse;
import org.eclipse.microprofile.health.Readiness;

/** Ready when the model is loaded and the first adapters are there. */
@Readiness
@ApplicationScoped
class WorkerReadiness implements HealthCheck {
    private final WorkerDirectory workers;

    WorkerReadiness(WorkerDirectory workers) {
        this.workers = workers;
    }

    @Override
    public HealthCheckResponse call() {
        return HealthCheckResponse.named("lory").status(workers.isReady()).build();
    }
}
