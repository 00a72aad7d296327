package dev.lory.worker;

import dev.lory.error.ErrorCode;
import dev.lory.error.ServiceException;
import dev.lory.kernel.Backend;
import dev.lory.kernel.ReferenceBackend;

/** Picks the backend: the one place that names them. */
final class Backends {
    private Backends() {}

    /** @throws ServiceException {@code INVALID_CONFIGURATION} naming an unknown choice */
    static Backend open(WorkerOptions options) {
        return switch (options.kernels()) {
            case "reference" -> new ReferenceBackend();
            default ->
                throw new ServiceException(
                        ErrorCode.INVALID_CONFIGURATION,
                        "--kernels is auto, native, vector or reference but not " + options.kernels());
        };
    }
}
