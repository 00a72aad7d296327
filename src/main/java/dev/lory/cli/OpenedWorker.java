package dev.lory.cli;

import dev.lory.registry.WorkerFactory;
import dev.lory.worker.Worker;
import dev.lory.worker.WorkerOptions;
import jakarta.enterprise.context.ApplicationScoped;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * Gives the service the worker that {@code serve} has opened: a model that cannot be loaded is then a sentence on the command line, before
 * a database or a port is touched. Where no command ran, it opens one.
 */
@ApplicationScoped
class OpenedWorker implements WorkerFactory {
    private static final AtomicReference<@Nullable Worker> OPENED = new AtomicReference<>();

    static void handOver(Worker worker) {
        OPENED.set(worker);
    }

    @Override
    public Worker open(WorkerOptions options) {
        Worker opened = OPENED.getAndSet(null);
        return opened != null ? opened : WorkerFlags.open(options);
    }
}
