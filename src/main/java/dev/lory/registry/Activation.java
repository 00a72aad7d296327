package dev.lory.registry;

import com.fasterxml.jackson.databind.PropertyNamingStrategies.SnakeCaseStrategy;
import com.fasterxml.jackson.databind.annotation.JsonNaming;
import dev.lory.worker.GenerationRequest.WeightedAdapter;
import java.time.Instant;
import java.util.List;

/**
 * The set for requests that name no adapters, at one revision.
 *
 * @param revision rises with each activation; 0 = there has been none
 * @param adapters summed unmerged; empty = the base model
 * @param cause {@code API}, or {@code ORDER} for the {@code order} of an ordering file; empty at revision 0
 */
@JsonNaming(SnakeCaseStrategy.class)
public record Activation(long revision, List<WeightedAdapter> adapters, String cause, String actor, Instant at) {
    /** Before the first activation. */
    static final Activation NONE = new Activation(0, List.of(), "", "", Instant.EPOCH);

    public Activation {
        adapters = List.copyOf(adapters);
    }
}
