package dev.lory.registry;

import dev.lory.worker.Worker;
import dev.lory.worker.WorkerOptions;

/** Opens the worker of this service; loading a model takes seconds to minutes. */
public interface WorkerFactory {
    /** @throws dev.lory.error.ServiceException {@code INVALID_MODEL}, {@code INVALID_CONFIGURATION} or {@code UNAVAILABLE} */
    Worker open(WorkerOptions options);
}
