package dev.lory.registry;

import com.fasterxml.jackson.annotation.JsonUnwrapped;
import java.time.Instant;
import java.util.List;

/**
 * One hour of one tenant with one set of adapters.
 *
 * @param hour its beginning
 * @param adapters names by the alphabet; none = the base model
 */
public record UsageRow(
        Instant hour,
        String tenant,
        List<String> adapters,
        @JsonUnwrapped UsageSum used) {
    public UsageRow {
        adapters = List.copyOf(adapters);
    }
}
