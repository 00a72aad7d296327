package dev.lory.registry;

import dev.lory.error.ServiceException;
import dev.lory.worker.Worker;
import io.quarkus.narayana.jta.QuarkusTransaction;
import io.quarkus.runtime.Quarkus;
import io.quarkus.runtime.ShutdownEvent;
import io.quarkus.runtime.StartupEvent;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import java.time.Duration;
import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

/** The thread that opens the worker, registers what the configuration names, and then reconciles on every change and every second. */
@ApplicationScoped
class ServiceStart {
    private static final Logger LOG = Logger.getLogger(ServiceStart.class);
    private static final int EXIT_CANNOT_START = 2;
    private static final Duration STOP = Duration.ofSeconds(5);
    /** Twice in the two seconds in which a change by another replica is to be seen. */
    private static final Duration POLL = Duration.ofSeconds(1);

    private final WorkerDirectory workers;
    private final BaseModels models;
    private final StartConfiguration configuration;
    private final Reconciler reconciler;
    private final ChangeSignal changes;
    private final Rehearsal rehearsal;
    private @Nullable Thread thread;
    private volatile boolean stopping;
    private boolean failing;

    ServiceStart(
            WorkerDirectory workers,
            BaseModels models,
            StartConfiguration configuration,
            Reconciler reconciler,
            ChangeSignal changes,
            Rehearsal rehearsal) {
        this.workers = workers;
        this.models = models;
        this.configuration = configuration;
        this.reconciler = reconciler;
        this.changes = changes;
        this.rehearsal = rehearsal;
    }

    void start(@Observes StartupEvent event) {
        thread = Thread.ofPlatform().daemon().name("reconciler").start(this::run);
    }

    void stop(@Observes ShutdownEvent event) throws InterruptedException {
        Thread running = thread;
        if (running != null) {
            stopping = true;
            changes.raise();
            running.join(STOP);
        }
    }

    private void run() {
        try {
            Worker worker = workers.open();
            QuarkusTransaction.requiringNew()
                    .run(() -> models.register(worker.status().model()));
            configuration.register();
            while (!stopping) {
                pass(worker);
                changes.await(POLL);
            }
        } catch (ServiceException e) {
            LOG.error(e.detail());
            Quarkus.asyncExit(EXIT_CANNOT_START);
        } catch (RuntimeException | Error e) {
            LOG.error("the service cannot start", e);
            Quarkus.asyncExit(EXIT_CANNOT_START);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** The database may be away for a while: requests go on with what is loaded, and the next pass tries again. */
    private void pass(Worker worker) throws InterruptedException {
        try {
            reconciler.reconcile(worker);
            if (!workers.isReady()) {
                letIn(worker);
            }
            if (failing) {
                LOG.info("reconcile works again");
            }
            failing = false;
        } catch (RuntimeException e) {
            if (!failing) {
                LOG.warnf("reconcile failed, trying again every second: %s", e.getMessage());
            }
            failing = true;
        }
    }

    private void letIn(Worker worker) throws InterruptedException {
        workers.admit();
        rehearsal.run(worker.status());
        workers.ready();
    }
}
