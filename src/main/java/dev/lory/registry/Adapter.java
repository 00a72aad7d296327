package dev.lory.registry;

import com.fasterxml.jackson.databind.PropertyNamingStrategies.SnakeCaseStrategy;
import com.fasterxml.jackson.databind.annotation.JsonNaming;
import dev.lory.worker.AdapterKind;
import dev.lory.worker.DesiredState.Residency;
import java.util.List;

/**
 * A registered adapter.
 *
 * @param source its folder; relative to {@code lory.adapters.root}
 * @param digest SHA-256 of its content in hex; empty until it was loaded once, as are the figures
 * @param bytes it takes on the device
 * @param residency how long it stays there
 * @param stateReason why it is in this state; empty where that is plain
 * @param version rises with each change of this row
 */
@JsonNaming(SnakeCaseStrategy.class)
public record Adapter(
        String name,
        AdapterKind kind,
        String source,
        String digest,
        int rank,
        List<String> targetModules,
        long bytes,
        Residency residency,
        AdapterState state,
        String stateReason,
        int version) {
    public Adapter {
        targetModules = List.copyOf(targetModules);
    }
}
