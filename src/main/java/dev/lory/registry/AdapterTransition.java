package dev.lory.registry;

import com.fasterxml.jackson.databind.PropertyNamingStrategies.SnakeCaseStrategy;
import com.fasterxml.jackson.databind.annotation.JsonNaming;
import java.time.Instant;

/** One move of an adapter from state to state. */
@JsonNaming(SnakeCaseStrategy.class)
public record AdapterTransition(AdapterState from, AdapterState to, String reason, String actor, Instant at) {}
