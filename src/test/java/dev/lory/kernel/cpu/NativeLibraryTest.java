package dev.lory.kernel.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Native kernels are not lost in silence: those that were built are used, or the processor is the reason. */
final class NativeLibraryTest {
    @Test
    void trustsTheKernelsThatWereBuilt() {
        NativeLibrary.Found found = NativeLibrary.found();
        if (NativeLibraryTest.class.getResource("/native/liblory_kernels.so") == null) {
            assertThat(found.reason()).isEqualTo("none were built");
        } else if (found.kernels().isEmpty()) {
            assertThat(found.reason()).startsWith("this processor has neither");
        }
    }

    static Stream<KernelSet> kernelSets() {
        return CpuBackendTest.kernelSets();
    }

    @ParameterizedTest
    @MethodSource("kernelSets")
    void selfTestTrustsCorrectKernels(KernelSet kernels) {
        assertThat(SelfTest.difference(kernels)).isEmpty();
        try (AttentionSelfTest attention = new AttentionSelfTest()) {
            assertThat(attention.error(kernels)).isLessThan(1e-4);
        }
    }
}
