package dev.lory.registry;

import static dev.lory.registry.AdapterState.ACTIVE;
import static dev.lory.registry.AdapterState.DRAINING;
import static dev.lory.registry.AdapterState.FAILED;
import static dev.lory.registry.AdapterState.LOADING;
import static dev.lory.registry.AdapterState.READY;
import static dev.lory.registry.AdapterState.REGISTERED;
import static dev.lory.registry.AdapterState.RETIRED;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class AdapterStateTest {
    private static final Map<AdapterState, Set<AdapterState>> TABLE = Map.of(
            REGISTERED, Set.of(LOADING, RETIRED),
            LOADING, Set.of(READY, FAILED),
            READY, Set.of(ACTIVE, REGISTERED, RETIRED),
            ACTIVE, Set.of(DRAINING),
            DRAINING, Set.of(READY, ACTIVE),
            FAILED, Set.of(LOADING, RETIRED),
            RETIRED, Set.of());

    @ParameterizedTest
    @EnumSource
    void movesOnlyAsTheTableSays(AdapterState state) {
        assertThat(state.next()).isEqualTo(TABLE.get(state));
    }

    @Test
    void takesTheShortestAllowedWay() {
        assertThat(LOADING.pathTo(ACTIVE)).containsExactly(READY, ACTIVE);
        assertThat(ACTIVE.pathTo(FAILED)).containsExactly(DRAINING, READY, REGISTERED, LOADING, FAILED);
        assertThat(FAILED.pathTo(REGISTERED)).containsExactly(LOADING, READY, REGISTERED);
    }

    @Test
    void hasNoWayOutOfRetiredAndNoWayToWhereItIs() {
        assertThat(RETIRED.pathTo(LOADING)).isEmpty();
        assertThat(READY.pathTo(READY)).isEmpty();
    }
}
