package dev.lory.kernel.cpu;

import com.sun.management.OperatingSystemMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** The memory of the machine, or of the container if that is limited to less. */
final class MachineMemory {
    private MachineMemory() {}

    /** Bytes that can be taken without anything being swapped out or killed, as the system estimates it. */
    static long free() {
        OperatingSystemMXBean machine = ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class);
        return free(
                machine.getTotalMemorySize(), // knows the limits of containers
                lines(Path.of("/proc/meminfo")),
                lines(Path.of("/proc/self/status")));
    }

    /**
     * @param limit bytes of the machine or the container
     * @param meminfo lines of {@code /proc/meminfo}, none where there is no such file
     * @param status lines of {@code /proc/self/status}, likewise
     */
    static long free(long limit, List<String> meminfo, List<String> status) {
        // A container's own count includes files in the page cache, the weights among them: what they take is given
        // back when it is wanted.
        long left = limit - bytes(status, "RssAnon:", 0);
        return Math.max(0, Math.min(left, bytes(meminfo, "MemAvailable:", left)));
    }

    private static long bytes(List<String> lines, String name, long absent) {
        return lines.stream()
                .filter(line -> line.startsWith(name))
                .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) << 10)
                .findFirst()
                .orElse(absent);
    }

    private static List<String> lines(Path file) {
        try {
            return Files.exists(file) ? Files.readAllLines(file) : List.of();
        } catch (IOException e) {
            return List.of();
        }
    }
}
