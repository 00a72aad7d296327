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
 * @param cause {@code API}, {@code ORDER} for the {@code order} of an ordering file, or {@code ROLLBACK}; empty at revision 0
 * @param rollbackOf the revision it is a copy of; 0 = it is none
 */
@JsonNaming(SnakeCaseStrategy.class)
public record Activation(
        long revision, List<WeightedAdapter> adapters, String cause, long rollbackOf, String actor, Instant at) {
    /** Before the first activation. */
    static final Activation NONE = new Activation(0, List.of(), "", 0, "", Instant.EPOCH);

    public Activation {
        adapters = List.copyOf(adapters);
    }
}
