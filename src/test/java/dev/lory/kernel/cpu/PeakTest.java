package dev.lory.kernel.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lory.kernel.Peak;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** A peak is a bound: the kernels themselves must not be able to be faster, by far, nor can it be what no machine does. */
final class PeakTest {
    @ParameterizedTest
    @MethodSource("dev.lory.kernel.cpu.CpuBackendTest#kernelSets")
    void isWhatAMachineCanDo(KernelSet kernels) {
        try (WorkerPool pool = new WorkerPool(2);
                PeakSection section = new PeakSection(pool, kernels)) {
            Peak peak = section.measure();

            assertThat(peak.bytesPerSecond()).isBetween(1e8, 1e12);
            assertThat(peak.productsPerSecond()).isBetween(1e8, 1e13);
        }
    }

    @ParameterizedTest
    @MethodSource("dev.lory.kernel.cpu.CpuBackendTest#kernelSets")
    void productsAreReallyMultiplied(KernelSet kernels) {
        try (Scratch scratch = new Scratch()) {
            long room = scratch.ensure(64);

            long few = kernels.multiply(10, room);

            assertThat(kernels.multiply(20, room)).isEqualTo(2 * few).isPositive();
        }
    }
}
