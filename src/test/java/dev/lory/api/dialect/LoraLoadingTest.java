package dev.lory.api.dialect;

import static io.restassured.RestAssured.given;
import static org.assertj.core.api.Assertions.assertThat;
import static org.hamcrest.Matchers.containsString;
import static org.hamcrest.Matchers.equalTo;
import static org.hamcrest.Matchers.hasItem;
import static org.hamcrest.Matchers.hasKey;
import static org.hamcrest.Matchers.not;
import static org.hamcrest.Matchers.nullValue;

import dev.lory.database.DatabaseResource;
import dev.lory.registry.FakeWorkerFactory;
import dev.lory.worker.FakeWorker;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.restassured.response.ValidatableResponse;
import jakarta.inject.Inject;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Loading, unloading and listing as vLLM, SGLang and mistral.rs have it; the worker is a fake to whom any folder is an adapter. */
@QuarkusTest
@WithTestResource(DatabaseResource.class)
class LoraLoadingTest {
    private static final String LOAD = "/v1/load_lora_adapter";
    private static final String UNLOAD = "/v1/unload_lora_adapter";

    @Inject
    FakeWorkerFactory factory;

    @AfterEach
    void retire() {
        given().delete("/api/v1/adapters/sql");
        given().post("/api/v1/adapters/math/load").then().statusCode(202);
    }

    private static ValidatableResponse post(String path, Object body) {
        return given().contentType("application/json").body(body).post(path).then();
    }

    private static Map<String, Object> sql(Object... more) {
        Map<String, Object> body = new HashMap<>(Map.of("lora_name", "sql", "lora_path", "adapters/sql"));
        for (int i = 0; i < more.length; i += 2) {
            body.put((String) more[i], more[i + 1]);
        }
        return body;
    }

    private static int chat(String model) {
        return given().contentType("application/json")
                .body(Map.of("model", model, "prompt", "abc"))
                .post("/v1/completions")
                .statusCode();
    }

    @Test
    void answersWhenRequestsCanNameIt() {
        // what the sidecar of the inference gateway and AIBrix send beyond vLLM's fields
        post(LOAD, sql("base_model_name", "base", "additional_config", Map.of()))
                .statusCode(200)
                .contentType("text/plain")
                .body(equalTo("Success: LoRA adapter 'sql' added successfully."));
        assertThat(chat("sql")).isEqualTo(200);
        given().get("/v1/models/sql")
                .then()
                .statusCode(200)
                .body("parent", equalTo(FakeWorker.MODEL))
                .body("root", not(containsString("/")));
        post(LOAD, sql())
                .statusCode(400)
                .body(
                        "error.message",
                        equalTo(
                                "The lora adapter 'sql' has already been loaded. If you want to load the adapter in place, "
                                        + "set 'load_inplace' to True."));
        post(LOAD, sql("load_inplace", true, "lora_path", "adapters/other")).statusCode(200);
        given().get("/api/v1/adapters/sql").then().body("source", equalTo("adapters/other"));

        post(UNLOAD, Map.of("lora_name", "sql", "lora_int_id", 7))
                .statusCode(200)
                .body(equalTo("Success: LoRA adapter 'sql' removed successfully."));
        given().get("/v1/models").then().body("data.id", not(hasItem("sql")));
        given().get("/v1/lora_adapters").then().body("data.id", not(hasItem("sql")));
        assertThat(chat("sql")).isEqualTo(404);
        post(UNLOAD, Map.of("lora_name", "sql"))
                .statusCode(404)
                .body("error.message", equalTo("The lora adapter 'sql' cannot be found."));
        post(LOAD, sql("lora_path", "adapters/third")).statusCode(200);
        assertThat(chat("sql")).isEqualTo(200);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{}|400|Both 'lora_name' and 'lora_path' must be provided.",
                "{\"lora_name\":\"sql\"}|400|Both 'lora_name' and 'lora_path' must be provided.",
                "{\"lora_name\":7,\"lora_path\":\"a\"}|400|lora_name must be a string but is 7",
                "{\"lora_name\":\"sql\",\"lora_path\":\"../../etc\"}|400|outside the adapters root",
                "{\"lora_name\":\"a:b\",\"lora_path\":\"a\"}|400|the name of the adapter",
                "{\"lora_name\":\"sql\",\"lora_path\":\"a\",\"expected_generation\":\"00\"}|409|is not loaded",
                "nonsense|400|the body is not JSON"
            })
    void refusesAndChangesNothing(String body, int status, String message) {
        post(LOAD, body).statusCode(status).body("error.message", containsString(message));
        given().get("/api/v1/adapters/sql").then().statusCode(404);
    }

    @Test
    void tellsWhyAnAdapterCannotBeLoaded() {
        factory.worker().failLoading("sql", "its file is cut off");
        try {
            post(LOAD, sql()).statusCode(422).body("error.message", containsString("its file is cut off"));
        } finally {
            factory.worker().failLoading("sql", "");
        }
        post(LOAD, sql()).statusCode(200);
    }

    @Test
    void whatIsActiveStays() {
        post("/activate_adapters", Map.of("adapter_names", List.of("math"))).statusCode(200);
        try {
            post(UNLOAD, Map.of("lora_name", "math"))
                    .statusCode(409)
                    .body("error.message", containsString("is in the current activation"));
        } finally {
            post("/activate_adapters", Map.of("adapter_names", List.of())).statusCode(200);
        }
    }

    @Test
    void comparesGenerations() {
        post(LOAD, sql()).statusCode(200);
        String generation = given().get("/v1/lora_adapters").path("data.find{it.id=='sql'}.generation");
        post(LOAD, sql("expected_generation", "beef"))
                .statusCode(409)
                .body("error.code", equalTo("lora_generation_mismatch"))
                .body("error.message", containsString("is at generation " + generation));
        post(LOAD, sql("expected_generation", generation)).statusCode(200);
        post("/v1/completions", Map.of("prompt", "abc", "adapter", Map.of("generation", generation)))
                .statusCode(200)
                .body("choices[0].text", equalTo("[sql] abc"))
                .body("adapter_generation", equalTo(generation));
        post("/v1/completions", Map.of("prompt", "abc", "adapter", Map.of("generation", "beef")))
                .statusCode(404)
                .body("error.param", equalTo("adapter.generation"));
        post(UNLOAD, Map.of("lora_name", "sql", "expected_generation", "beef")).statusCode(409);
        post(UNLOAD, Map.of("lora_name", "sql", "expected_generation", generation))
                .statusCode(200);
    }

    @Test
    void listsWhatIsThere() {
        given().get("/v1/lora_adapters")
                .then()
                .statusCode(200)
                .body("object", equalTo("list"))
                .body("data.id", hasItem("math"))
                .body("data[0].object", equalTo("lora_adapter"))
                .body("data[0].rank", equalTo(8))
                .body("data[0].bytes", equalTo(4096))
                .body("data[0].tier", equalTo("DEVICE"))
                .body("$", hasKey("resident_bytes"))
                .body("$", hasKey("max_adapters"));
    }

    @Test
    void sglangTellsSuccessAndWhatIsLoaded() {
        post("/load_lora_adapter", sql("pinned", true))
                .statusCode(200)
                .body("success", equalTo(true))
                .body("error_message", nullValue())
                .body("loaded_adapters", hasKey("sql"));
        given().get("/api/v1/adapters/sql").then().body("residency", equalTo("PINNED"));
        post("/load_lora_adapter", sql())
                .statusCode(400)
                .body("success", equalTo(false))
                .body("error_message", containsString("has already been loaded"));
        post("/unload_lora_adapter", Map.of("lora_name", "sql"))
                .statusCode(200)
                .body("loaded_adapters", not(hasKey("sql")));
        post("/unload_lora_adapter", Map.of("lora_name", "sql")).statusCode(400).body("success", equalTo(false));
    }
}
