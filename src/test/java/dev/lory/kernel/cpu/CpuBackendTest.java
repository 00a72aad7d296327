package dev.lory.kernel.cpu;

import static org.junit.jupiter.params.provider.Arguments.arguments;

import dev.lory.kernel.Backend;
import dev.lory.kernel.BackendContract;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** The Vector API kernels, and each native set that was built and that this processor can run, on one, two and three threads. */
@ParameterizedClass(name = "{0}, {1} threads")
@MethodSource("kernels")
final class CpuBackendTest extends BackendContract {
    private final KernelSet kernels;
    private final int threads;

    CpuBackendTest(KernelSet kernels, int threads) {
        this.kernels = kernels;
        this.threads = threads;
    }

    /** All that were built and can run here. */
    static Stream<KernelSet> kernelSets() {
        return Stream.concat(NativeLibrary.found().kernels().stream(), Stream.of(VectorKernels.ofThisMachine()));
    }

    static Stream<Arguments> kernels() {
        return kernelSets()
                .flatMap(kernels -> IntStream.rangeClosed(1, 3).mapToObj(threads -> arguments(kernels, threads)));
    }

    @Override
    protected Backend open() {
        return new CpuBackend(threads, new CpuBackend.Chosen(kernels, ""));
    }
}
