package dev.lory.registry;

import com.fasterxml.jackson.databind.PropertyNamingStrategies.SnakeCaseStrategy;
import com.fasterxml.jackson.databind.annotation.JsonNaming;
import dev.lory.xlora.XLoraOverrides;
import java.time.Instant;

/**
 * One revision of how an X-LoRA is to be otherwise than its package says.
 *
 * @param revision 1, 2, ... for each X-LoRA
 */
@JsonNaming(SnakeCaseStrategy.class)
public record XLoraRevision(int revision, XLoraOverrides overrides, String actor, Instant at) {}
