package dev.lory.worker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lory.adapter.AdapterSlots;
import dev.lory.adapter.LoraWeights;
import dev.lory.error.ErrorCode;
import dev.lory.error.ServiceException;
import dev.lory.worker.DesiredState.DesiredAdapter;
import dev.lory.worker.GenerationRequest.WeightedAdapter;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Which adapters a request may run with together. */
final class ResidentAdaptersTest {
    private final AdapterSlots slots = new AdapterSlots(1);
    private final ResidentAdapters adapters = new ResidentAdapters(
            source ->
                    new LoraWeights(source, 1, 0, List.of("q_proj"), source.equals("dora") ? "use_dora" : "", Map.of()),
            action -> action.apply(slots),
            action -> action.accept(slots));

    @BeforeEach
    void load() {
        assertThat(adapters.apply(new DesiredState(
                        1, List.of(new DesiredAdapter("plain", "plain"), new DesiredAdapter("dora", "dora")))))
                .containsExactly("plain", "dora");
    }

    @Test
    void anAdapterThatIsNoDeltaRunsAloneAndWithWeightOne() {
        WeightedAdapter dora = new WeightedAdapter("dora", 1);
        WeightedAdapter plain = new WeightedAdapter("plain", 1);

        for (List<WeightedAdapter> refused :
                List.of(List.of(dora, plain), List.of(plain, dora), List.of(new WeightedAdapter("dora", 0.5f)))) {
            assertThatThrownBy(() -> adapters.lease(refused))
                    .isInstanceOf(ServiceException.class)
                    .satisfies(e -> assertThat(((ServiceException) e).code()).isEqualTo(ErrorCode.INVALID_REQUEST))
                    .hasMessageContaining("adapter dora can only run alone and with weight 1")
                    .hasMessageContaining("use_dora");
        }
        assertThat(adapters.status())
                .allSatisfy(status -> assertThat(status.leases()).isZero());
        assertThat(adapters.lease(List.of(dora)).used()).hasSize(1);
        assertThat(adapters.lease(List.of(new WeightedAdapter("plain", 0.5f))).used())
                .hasSize(1);
    }
}
