package dev.lory.registry;

import java.time.Instant;

/** One move of an adapter from state to state. */
public record AdapterTransition(AdapterState from, AdapterState to, String reason, String actor, Instant at) {}
