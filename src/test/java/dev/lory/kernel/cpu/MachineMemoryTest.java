package dev.lory.kernel.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

final class MachineMemoryTest {
    private static final long GB = 1L << 30;
    private static final List<String> MEMINFO =
            List.of("MemTotal:       25165824 kB", "MemFree:         1000000 kB", "MemAvailable:   16777216 kB");
    private static final List<String> STATUS = List.of("VmRSS:\t 3145728 kB", "RssAnon:\t 1048576 kB");

    @Test
    void isWhatTheSystemSaysWithoutALimit() {
        assertThat(MachineMemory.free(24 * GB, MEMINFO, STATUS)).isEqualTo(16 * GB);
    }

    @Test
    void isWhatAContainersLimitLeavesBesideThisProcess() {
        assertThat(MachineMemory.free(4 * GB, MEMINFO, STATUS)).isEqualTo(3 * GB);
        assertThat(MachineMemory.free(GB / 2, MEMINFO, STATUS)).isZero();
    }

    @Test
    void isAllThereIsWhereTheSystemDoesNotSay() {
        assertThat(MachineMemory.free(8 * GB, List.of(), List.of())).isEqualTo(8 * GB);
    }

    @Test
    void knowsThisMachine() {
        assertThat(MachineMemory.free()).isBetween(1L << 20, 1L << 50);
    }
}
