package dev.lory.kernel.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

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
}
