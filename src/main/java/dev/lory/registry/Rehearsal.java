package dev.lory.registry;

import dev.lory.worker.WorkerStatus;

/** What the service does once after the first adapters are there and before it says that it is ready. */
public interface Rehearsal {
    /**
     * Requests are served already. What fails here is only slower later: it is logged, never thrown.
     *
     * @param status model and adapters to rehearse with
     */
    void run(WorkerStatus status) throws InterruptedException;
}
