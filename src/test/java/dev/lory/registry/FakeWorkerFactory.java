package dev.lory.registry;

import dev.lory.worker.FakeWorker;
import dev.lory.worker.Worker;
import dev.lory.worker.WorkerOptions;
import io.quarkus.test.Mock;
import jakarta.enterprise.context.ApplicationScoped;

/** Stands in for the real factory in every {@code @QuarkusTest}; inject it to reach the worker. */
@Mock
@ApplicationScoped
public class FakeWorkerFactory implements WorkerFactory {
    private final FakeWorker worker = new FakeWorker();

    @Override
    public Worker open(WorkerOptions options) {
        return worker;
    }

    public FakeWorker worker() {
        return worker;
    }
}
