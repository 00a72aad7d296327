package dev.lory.registry;

import dev.lory.worker.FakeWorker;
import dev.lory.worker.Worker;
import dev.lory.worker.WorkerOptions;
import io.quarkus.runtime.StartupEvent;
import io.quarkus.test.Mock;
import jakarta.annotation.Priority;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;

/** Stands in for the real factory in every {@code @QuarkusTest}; inject it to reach the worker. Tests begin when the service is ready. */
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

    void awaitReady(@Observes @Priority(10_000) StartupEvent event, WorkerDirectory workers)
            throws InterruptedException {
        for (int tries = 0; !workers.isReady(); tries++) {
            if (tries == 600) {
                throw new IllegalStateException("the service is not ready after 30 s");
            }
            Thread.sleep(50);
        }
    }
}
