package dev.lory.registry;

import dev.lory.worker.WorkerStatus;
import io.quarkus.test.Mock;
import jakarta.enterprise.context.ApplicationScoped;

/** Tests wait for the service before it listens, and count the requests of their worker. */
@Mock
@ApplicationScoped
class NoRehearsal implements Rehearsal {
    @Override
    public void run(WorkerStatus status) {}
}
