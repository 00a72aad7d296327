package dev.lory.worker;

import dev.lory.error.ErrorCode;
import dev.lory.error.ServiceException;
import dev.lory.kernel.Backend;
import dev.lory.kernel.ReferenceBackend;
import dev.lory.kernel.cpu.CpuBackend;
import dev.lory.kernel.cpu.Kernels;

/** Picks the backend: the one place that names them. */
final class Backends {
    private Backends() {}

    private static int threads(WorkerOptions options) {
        return options.threads() > 0 ? options.threads() : Runtime.getRuntime().availableProcessors();
    }

    /** @throws ServiceException {@code INVALID_CONFIGURATION} naming an unknown choice */
    static Backend open(WorkerOptions options) {
        return switch (options.kernels()) {
            case "auto" -> new CpuBackend(threads(options), Kernels.AUTO);
            case "native" -> new CpuBackend(threads(options), Kernels.NATIVE);
            case "vector" -> new CpuBackend(threads(options), Kernels.VECTOR);
            case "reference" -> new ReferenceBackend();
            default ->
                throw new ServiceException(
                        ErrorCode.INVALID_CONFIGURATION,
                        "--kernels is auto, native, vector or reference but not " + options.kernels());
        };
    }
}
