package dev.lory.registry;

import com.fasterxml.jackson.databind.PropertyNamingStrategies.SnakeCaseStrategy;
import com.fasterxml.jackson.databind.annotation.JsonNaming;
import dev.lory.ordering.Ordering;
import java.time.Instant;

/**
 * One content of an ordering file.
 *
 * @param revision 1, 2, ... for each name
 * @param sha256 of the bytes that were uploaded, in hex
 */
@JsonNaming(SnakeCaseStrategy.class)
public record OrderingRevision(
        String name,
        int revision,
        String sha256,
        String comment,
        String createdBy,
        Instant createdAt,
        Ordering content) {}
