package dev.lory.api.admin;

import static io.restassured.RestAssured.given;
import static org.hamcrest.Matchers.containsString;
import static org.hamcrest.Matchers.equalTo;
import static org.hamcrest.Matchers.hasItem;
import static org.hamcrest.Matchers.not;

import dev.lory.database.DatabaseResource;
import dev.lory.registry.Eventually;
import dev.lory.registry.FakeWorkerFactory;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import jakarta.inject.Inject;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Loading, unloading and pinning over REST; the worker is a fake. */
@QuarkusTest
@WithTestResource(DatabaseResource.class)
class AdapterResidencyTest {
    private static final String ADAPTER = "/api/v1/adapters/reasoning";

    @Inject
    FakeWorkerFactory factory;

    @BeforeEach
    @AfterEach
    void ready() throws Exception {
        factory.worker().lease("reasoning", 0);
        given().delete(ADAPTER + "/pin").then().statusCode(200);
        given().post(ADAPTER + "/load").then().statusCode(202);
        awaitState("READY");
    }

    private static void awaitState(String state) throws Exception {
        Eventually.is(() -> given().get(ADAPTER).path("state"), state);
    }

    @Test
    void unloadsAndLoads() throws Exception {
        given().post(ADAPTER + "/unload")
                .then()
                .statusCode(200)
                .body("name", equalTo("reasoning"))
                .body("bytes_released", equalTo(4096))
                .body("leases", equalTo(0));
        awaitState("REGISTERED");
        given().get(ADAPTER).then().body("residency", equalTo("UNLOADED"));
        given().get("/v1/models").then().body("data.id", not(hasItem("reasoning")));
        given().post(ADAPTER + "/unload").then().statusCode(200).body("bytes_released", equalTo(0));

        given().post(ADAPTER + "/load").then().statusCode(202).body("residency", equalTo("ON_DEMAND"));
        awaitState("READY");
        given().get("/v1/models").then().body("data.id", hasItem("reasoning"));
    }

    @Test
    void waitsForRequestsThatRunWithIt() throws Exception {
        factory.worker().lease("reasoning", 1);
        given().post(ADAPTER + "/unload?wait=0")
                .then()
                .statusCode(200)
                .body("bytes_released", equalTo(0))
                .body("leases", equalTo(1));
        factory.worker().lease("reasoning", 0);
        awaitState("REGISTERED");
    }

    @Test
    void pins() {
        given().post(ADAPTER + "/pin").then().statusCode(200).body("residency", equalTo("PINNED"));
        given().get(ADAPTER).then().body("residency", equalTo("PINNED"));
        given().delete(ADAPTER + "/pin").then().statusCode(200).body("residency", equalTo("ON_DEMAND"));
    }

    @Test
    void refusesToUnloadWhatIsActive() {
        activate("\"reasoning\"");
        given().post(ADAPTER + "/unload")
                .then()
                .statusCode(409)
                .contentType("application/problem+json")
                .body("detail", containsString("in the current activation"));
        activate("");
    }

    @Test
    void doesNotKnowOthers() {
        for (String verb : new String[] {"load", "unload", "pin"}) {
            given().post("/api/v1/adapters/none/" + verb)
                    .then()
                    .statusCode(404)
                    .body("detail", containsString("`none`"));
        }
    }

    private static void activate(String names) {
        given().contentType("application/json")
                .body("{\"adapter_names\": [" + names + "]}")
                .post("/activate_adapters")
                .then()
                .statusCode(200);
    }
}
