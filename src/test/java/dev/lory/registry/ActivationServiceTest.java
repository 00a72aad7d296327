package dev.lory.registry;

import static io.restassured.RestAssured.given;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.hamcrest.Matchers.equalTo;

import dev.lory.database.DatabaseResource;
import dev.lory.error.ErrorCode;
import dev.lory.error.ServiceException;
import dev.lory.worker.GenerationRequest.WeightedAdapter;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import jakarta.inject.Inject;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;

@QuarkusTest
@WithTestResource(DatabaseResource.class)
class ActivationServiceTest {
    @Inject
    ActivationService activations;

    @Inject
    AdapterService adapters;

    @Inject
    FakeWorkerFactory workers;

    @Inject
    Sql sql;

    @Test
    void replacesTheWholeSetAndCountsUp() {
        long before = activations.current().revision();
        Activation made = activations.activate(
                List.of(new WeightedAdapter("math", 1), new WeightedAdapter("biology", 0.5f)), "someone");
        assertThat(made.revision()).isGreaterThan(before);
        assertThat(made.cause()).isEqualTo("API");
        assertThat(made.actor()).isEqualTo("someone");
        assertThat(activations.current()).isEqualTo(made);
        assertThat(activations.list().getFirst()).isEqualTo(made);

        assertThat(activations.activate(List.of(), "someone").adapters()).isEmpty();
    }

    @Test
    void refusesAnUnknownAdapterByNameAndChangesNothing() {
        Activation before = activations.current();
        assertFails(ErrorCode.ADAPTER_NOT_FOUND, "`nowhere`", "math", "nowhere");
        assertThat(activations.current()).isEqualTo(before);
    }

    @Test
    void refusesAnAdapterNamedTwiceAndAWeightThatIsNoNumber() {
        assertFails(ErrorCode.INVALID_REQUEST, "`math` twice", "math", "math");
        assertThatThrownBy(() -> activations.activate(List.of(new WeightedAdapter("math", Float.NaN)), "test"))
                .hasMessageContaining("finite");
    }

    @Test
    void refusesAnAdapterThatFailedToLoadWithTheReason() throws Exception {
        workers.worker().failLoading("broken", "adapter_config.json is missing");
        adapters.register("broken", "adapters/broken", Actor.client("test"));
        Eventually.is(() -> adapters.get("broken").state(), AdapterState.FAILED);
        assertFails(ErrorCode.CONFLICT, "adapter_config.json is missing", "broken");

        workers.worker().failLoading("broken", "");
        adapters.register("broken", "adapters/broken", Actor.client("test"));
        Eventually.is(() -> adapters.get("broken").state(), AdapterState.READY);
        assertThat(adapters.transitions("broken"))
                .extracting(AdapterTransition::to)
                .startsWith(AdapterState.LOADING, AdapterState.FAILED, AdapterState.LOADING)
                .endsWith(AdapterState.READY);
    }

    @Test
    void letsExactlyOneOfManyWritersWithTheSameRevisionWin() throws Exception {
        long expected = activations.activate(List.of(), "test").revision();
        Callable<Boolean> writer = () -> {
            try {
                activations.activateIf(expected, List.of(new WeightedAdapter("math", 1)), "racer");
                return true;
            } catch (ServiceException e) {
                assertThat(e.code()).isEqualTo(ErrorCode.REVISION_CONFLICT);
                return false;
            }
        };
        int won = 0;
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<Boolean>> writers = new ArrayList<>();
            for (int i = 0; i < 8; i++) {
                writers.add(threads.submit(writer));
            }
            for (Future<Boolean> one : writers) {
                won += one.get() ? 1 : 0;
            }
        }
        assertThat(won).isEqualTo(1);
        assertThat(sql.number("select count(*) from activation where actor = 'racer'"))
                .isEqualTo(1);
    }

    @Test
    void refusesAnXLoraInTheWordsOfMistralRs() throws Exception {
        Activation before = activations.current();
        String sentence =
                "Adapter activation is not supported for X-LoRA models as the adapter set must remain the same.";
        given().contentType("application/json")
                .body("{\"adapter_names\": [\"math\", \"xlora\"]}")
                .post("/activate_adapters")
                .then()
                .statusCode(400)
                .contentType("application/problem+json")
                .body("detail", equalTo(sentence));
        assertFails(ErrorCode.INVALID_REQUEST, sentence, "xlora");
        assertThat(activations.current()).isEqualTo(before);
    }

    @Test
    void seesAnActivationOfAnotherReplica() throws Exception {
        long revision = sql.number("""
                insert into activation (base_model_id, adapters, cause, actor, at)
                select id, '[{"name":"reasoning","weight":1}]', 'API', 'replica', now() from base_model
                returning revision""");
        Eventually.is(() -> activations.current().revision(), revision);
        assertThat(activations.current().adapters()).containsExactly(new WeightedAdapter("reasoning", 1));
        Eventually.is(() -> adapters.get("reasoning").state(), AdapterState.ACTIVE);
    }

    @Test
    void drainsAnAdapterWhileRequestsRunWithIt() throws Exception {
        activations.activate(List.of(new WeightedAdapter("biology", 1)), "test");
        Eventually.is(() -> adapters.get("biology").state(), AdapterState.ACTIVE);
        workers.worker().lease("biology", 1);
        activations.activate(List.of(), "test");
        Eventually.is(() -> adapters.get("biology").state(), AdapterState.DRAINING);
        workers.worker().lease("biology", 0);
        Eventually.is(() -> adapters.get("biology").state(), AdapterState.READY);
    }

    @Test
    void writesAnAuditRowForEachChange() throws SQLException {
        Activation made = activations.activate(List.of(new WeightedAdapter("math", 0.25f)), "auditor");
        assertThat(sql.text("select action || ' ' || after from audit where subject = 'activation/" + made.revision()
                        + "' and actor = 'auditor'"))
                .isEqualTo("activate [math*0.25]");
    }

    private void assertFails(ErrorCode code, String words, String... names) {
        List<WeightedAdapter> wanted = List.of(names).stream()
                .map(name -> new WeightedAdapter(name, 1))
                .toList();
        assertThatThrownBy(() -> activations.activate(wanted, "test"))
                .isInstanceOfSatisfying(ServiceException.class, e -> {
                    assertThat(e.code()).isEqualTo(code);
                    assertThat(e.detail()).contains(words);
                });
    }
}
