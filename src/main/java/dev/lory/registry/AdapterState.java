package dev.lory.registry;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Life of an adapter on this service. */
public enum AdapterState {
    /** Known by name and source; nothing is in memory. */
    REGISTERED,
    /** The worker has been told to load it. */
    LOADING,
    /** Resident; requests may name it. */
    READY,
    /** Resident and in the current activation. */
    ACTIVE,
    /** No longer active; requests admitted before still run with it. */
    DRAINING,
    /** Could not be loaded; the reason is beside it. */
    FAILED,
    /** Given up; the row is kept for the record, the name is free. */
    RETIRED;

    /** The states this one may move to. */
    public Set<AdapterState> next() {
        return switch (this) {
            case REGISTERED -> EnumSet.of(LOADING, RETIRED);
            case LOADING -> EnumSet.of(READY, FAILED);
            case READY -> EnumSet.of(ACTIVE, REGISTERED, RETIRED);
            case ACTIVE -> EnumSet.of(DRAINING);
            case DRAINING -> EnumSet.of(READY, ACTIVE);
            case FAILED -> EnumSet.of(LOADING, RETIRED);
            case RETIRED -> EnumSet.noneOf(AdapterState.class);
        };
    }

    /** The shortest way to {@code target} by allowed moves, without this state; empty if there is none or this is it. */
    List<AdapterState> pathTo(AdapterState target) {
        Map<AdapterState, AdapterState> reachedFrom = new EnumMap<>(AdapterState.class);
        Deque<AdapterState> frontier = new ArrayDeque<>(List.of(this));
        while (!frontier.isEmpty() && !reachedFrom.containsKey(target)) {
            AdapterState state = frontier.remove();
            for (AdapterState next : state.next()) {
                if (next != this && reachedFrom.putIfAbsent(next, state) == null) {
                    frontier.add(next);
                }
            }
        }
        List<AdapterState> path = new ArrayList<>();
        for (AdapterState at = target; reachedFrom.containsKey(at); at = reachedFrom.get(at)) {
            path.addFirst(at);
        }
        return path;
    }
}
