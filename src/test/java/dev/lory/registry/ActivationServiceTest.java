package dev.lory.registry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lory.error.ErrorCode;
import dev.lory.error.ServiceException;
import dev.lory.worker.GenerationRequest.WeightedAdapter;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import jakarta.inject.Inject;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

@QuarkusTest
@WithTestResource(DatabaseResource.class)
class ActivationServiceTest {
    @Inject
    ActivationService activations;

    @Inject
    WorkerDirectory workers;

    @BeforeEach
    void awaitReady() throws InterruptedException {
        for (int tries = 0; !workers.isReady() && tries < 200; tries++) {
            Thread.sleep(50);
        }
    }

    @Test
    void refusesAnUnknownAdapterByNameAndChangesNothing() {
        Activation before = activations.current();
        assertThatThrownBy(() -> activations.activate(List.of(new WeightedAdapter("nowhere", 1)), "test"))
                .isInstanceOfSatisfying(ServiceException.class, e -> {
                    assertThat(e.code()).isEqualTo(ErrorCode.ADAPTER_NOT_FOUND);
                    assertThat(e.detail()).contains("`nowhere`");
                });
        assertThat(activations.current()).isEqualTo(before);
    }
}
