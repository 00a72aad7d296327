package dev.lory.registry;

import dev.lory.worker.LocalWorker;
import dev.lory.worker.Worker;
import dev.lory.worker.WorkerOptions;
import jakarta.enterprise.context.ApplicationScoped;

/** The worker in this process. */
@ApplicationScoped
class LocalWorkerFactory implements WorkerFactory {
    @Override
    public Worker open(WorkerOptions options) {
        return LocalWorker.open(options);
    }
}
