package dev.lory.api.dialect;

import static io.restassured.RestAssured.given;
import static org.assertj.core.api.Assertions.assertThat;
import static org.hamcrest.Matchers.containsString;
import static org.hamcrest.Matchers.equalTo;
import static org.hamcrest.Matchers.hasSize;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.lory.database.DatabaseResource;
import dev.lory.registry.ActivationService;
import dev.lory.registry.FakeWorkerFactory;
import dev.lory.sampling.SamplingParams;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.restassured.response.ValidatableResponse;
import jakarta.inject.Inject;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** llama.cpp's server; the worker is a fake that answers with the prompt. */
@QuarkusTest
@WithTestResource(DatabaseResource.class)
class LlamaCppTest {
    @Inject
    FakeWorkerFactory factory;

    @Inject
    ActivationService activations;

    @AfterEach
    void deactivate() {
        activations.activate(List.of(), "test");
    }

    private static ValidatableResponse post(String path, Object body) {
        return given().contentType("application/json").body(body).post(path).then();
    }

    private static int id(String adapter) {
        return given().get("/lora-adapters").path("find{it.path=='" + adapter + "'}.id");
    }

    @Test
    void scalesAreTheActivation() {
        List<String> names =
                given().get("/lora-adapters").then().statusCode(200).extract().path("path");
        assertThat(names).isSorted().contains("biology", "math");
        post("/lora-adapters", List.of(Map.of("id", id("math"), "scale", 0.5), Map.of("id", id("biology"), "scale", 0)))
                .statusCode(200)
                .body("success", equalTo(true));
        given().get("/lora-adapters")
                .then()
                .body("find{it.path=='math'}.scale", equalTo(0.5f))
                .body("find{it.path=='biology'}.scale", equalTo(0f))
                .body("find{it.path=='math'}.task_name", equalTo(""));
        given().get("/api/v1/activations/current")
                .then()
                .body("adapters", hasSize(1))
                .body("adapters[0].name", equalTo("math"));
        post("/completion", Map.of("prompt", "abc")).body("content", equalTo("[math] abc"));
        post("/completion", Map.of("prompt", "abc", "lora", List.of())).body("content", equalTo("abc"));
        post("/lora-adapters", List.of()).statusCode(200);
        post("/completion", Map.of("prompt", "abc")).body("content", equalTo("abc"));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "/lora-adapters|{}|400|must be an array",
                "/lora-adapters|[{\"id\":99,\"scale\":1}]|400|but is 99",
                "/lora-adapters|[{\"scale\":1}]|400|id must be between",
                "/completion|{}|400|prompt",
                "/completion|{\"prompt\":\"a\",\"grammar\":\"root ::= a\"}|501|grammar is not offered",
                "/completion|{\"prompt\":\"a\",\"json_schema\":{\"type\":\"object\"}}|501|json_schema is not offered",
                "/completion|{\"prompt\":\"a\",\"lora\":[{\"id\":99}]}|400|lora",
                "/completion|nonsense|400|the body is not JSON"
            })
    void refusesInItsOwnEnvelope(String path, String body, int status, String message) {
        long revision = activations.current().revision();
        post(path, body)
                .statusCode(status)
                .body("error.code", equalTo(status))
                .body("error.type", equalTo("invalid_request_error"))
                .body("error.message", containsString(message));
        assertThat(activations.current().revision()).isEqualTo(revision);
    }

    @Test
    void completesWithItsOwnDefaults() {
        post("/completion", Map.of("prompt", "abc"))
                .statusCode(200)
                .body("content", equalTo("abc"))
                .body("stop", equalTo(true))
                .body("stop_type", equalTo("eos"))
                .body("tokens_predicted", equalTo(3))
                .body("tokens_evaluated", equalTo(3))
                .body("tokens", hasSize(0));
        SamplingParams params = factory.worker().requests().getLast().sampling();
        assertThat(params.temperature()).isEqualTo(0.8f);
        assertThat(params.topK()).isEqualTo(40);
        assertThat(params.topP()).isEqualTo(0.95f);
        assertThat(params.minP()).isEqualTo(0.05f);
        assertThat(params.maxTokens()).as("to the end").isEmpty();
    }

    @Test
    void passesOnWhatIsAskedFor() {
        post(
                        "/completion",
                        Map.of(
                                "prompt",
                                List.of(97, 98),
                                "n_predict",
                                5,
                                "temperature",
                                0,
                                "repeat_penalty",
                                1.5,
                                "seed",
                                -1,
                                "logit_bias",
                                List.of(List.of(97, 2.5), List.of(98, false)),
                                "return_tokens",
                                true,
                                "n_probs",
                                2))
                .statusCode(200)
                .body("tokens", hasSize(2))
                .body("completion_probabilities", hasSize(2))
                .body("completion_probabilities[0].token", equalTo("a"));
        SamplingParams params = factory.worker().requests().getLast().sampling();
        assertThat(params.maxTokens()).hasValue(5);
        assertThat(params.repetitionPenalty()).isEqualTo(1.5f);
        assertThat(params.seed()).isEmpty();
        assertThat(params.logitBias()).containsEntry(97, 2.5f).containsEntry(98, -100f);
    }

    @Test
    void streamsUntilStop() throws Exception {
        String text = post("/completion", Map.of("prompt", "abc", "stream", true))
                .statusCode(200)
                .contentType("text/event-stream")
                .extract()
                .asString();
        List<String> events =
                text.lines().filter(line -> line.startsWith("data: ")).toList();
        StringBuilder content = new StringBuilder();
        for (String event : events) {
            JsonNode json = new ObjectMapper().readTree(event.substring(6));
            content.append(json.path("content").asText());
            assertThat(json.path("stop").asBoolean()).isEqualTo(event.equals(events.getLast()));
        }
        assertThat(content).hasToString("abc");
        assertThat(text).doesNotContain("[DONE]");
    }
}
