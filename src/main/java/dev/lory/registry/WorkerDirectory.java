package dev.lory.registry;

import dev.lory.error.ErrorCode;
import dev.lory.error.ServiceException;
import dev.lory.worker.Worker;
import dev.lory.worker.WorkerStatus;
import dev.lory.worker.XLoraStatus;
import jakarta.annotation.PreDestroy;
import jakarta.enterprise.context.ApplicationScoped;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/** The workers that requests may be sent to: the one in this process. Any thread may call. */
@ApplicationScoped
public class WorkerDirectory {
    private final WorkerFactory factory;
    private final WorkerConfig config;
    private final AtomicReference<@Nullable Worker> open = new AtomicReference<>();
    private volatile boolean admitting;
    private volatile boolean ready;

    WorkerDirectory(WorkerFactory factory, WorkerConfig config) {
        this.factory = factory;
        this.config = config;
    }

    /**
     * The worker for the next request.
     *
     * @throws ServiceException {@code UNAVAILABLE} while the model or its first adapters are being loaded
     */
    public Worker route() {
        if (!admitting) {
            throw new ServiceException(
                    ErrorCode.UNAVAILABLE, "the model " + config.model() + " is still being loaded; try again later");
        }
        return worker();
    }

    /** As the worker says; {@code UNAVAILABLE} until the model is loaded. */
    public WorkerStatus status() {
        return worker().status();
    }

    /** As {@link Worker#xloras}; {@code UNAVAILABLE} until the model is loaded. */
    public List<XLoraStatus> xloras() {
        return worker().xloras();
    }

    /** Whether requests are answered, and as fast as they will be later. */
    public boolean isReady() {
        return ready;
    }

    /** Loads the model; requests are routed after {@link #admit}. */
    Worker open() {
        Worker worker = factory.open(config.options());
        open.set(worker);
        return worker;
    }

    /** The first adapters are there: let requests in. */
    void admit() {
        admitting = true;
    }

    /** Tell users to come. */
    void ready() {
        ready = true;
    }

    private Worker worker() {
        Worker worker = open.get();
        if (worker == null) {
            throw new ServiceException(
                    ErrorCode.UNAVAILABLE, "the model " + config.model() + " is still being loaded; try again later");
        }
        return worker;
    }

    @PreDestroy
    void close() {
        admitting = false;
        ready = false;
        Worker worker = open.getAndSet(null);
        if (worker != null) {
            worker.close();
        }
    }
}
