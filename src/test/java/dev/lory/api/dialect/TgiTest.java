package dev.lory.api.dialect;

import static io.restassured.RestAssured.given;
import static org.assertj.core.api.Assertions.assertThat;
import static org.hamcrest.Matchers.containsString;
import static org.hamcrest.Matchers.equalTo;
import static org.hamcrest.Matchers.hasSize;
import static org.hamcrest.Matchers.nullValue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.lory.database.DatabaseResource;
import dev.lory.registry.FakeWorkerFactory;
import dev.lory.sampling.SamplingParams;
import dev.lory.worker.FakeWorker;
import dev.lory.worker.GenerationRequest.WeightedAdapter;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.restassured.response.ValidatableResponse;
import jakarta.inject.Inject;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** text-generation-inference and LoRAX; the worker is a fake that answers with the prompt. */
@QuarkusTest
@WithTestResource(DatabaseResource.class)
class TgiTest {
    @Inject
    FakeWorkerFactory factory;

    private static ValidatableResponse post(String path, Object body) {
        return given().contentType("application/json").body(body).post(path).then();
    }

    private static Map<String, Object> asked(Map<String, Object> parameters) {
        return Map.of("inputs", "abc", "parameters", parameters);
    }

    private SamplingParams sampling() {
        return factory.worker().requests().getLast().sampling();
    }

    @Test
    void generatesGreedilyUnlessAskedToSample() {
        post("/generate", Map.of("inputs", "abc"))
                .statusCode(200)
                .body("generated_text", equalTo("abc"))
                .body("details", nullValue());
        assertThat(sampling().temperature()).isZero();
        assertThat(sampling().maxTokens()).hasValue(100);
        post("/generate", asked(Map.of("do_sample", true))).statusCode(200);
        assertThat(sampling().temperature()).isEqualTo(1);
        post("/generate", asked(Map.of("temperature", 0.5, "max_new_tokens", 7, "stop", List.of("x"))))
                .statusCode(200);
        assertThat(sampling().temperature()).isEqualTo(0.5f);
        assertThat(sampling().maxTokens()).hasValue(7);
        assertThat(sampling().stop()).containsExactly("x");
    }

    @Test
    void tellsDetails() {
        post(
                        "/generate",
                        asked(Map.of(
                                "details", true, "decoder_input_details", true, "return_full_text", true, "seed", 5)))
                .statusCode(200)
                .body("generated_text", equalTo("abcabc"))
                .body("details.finish_reason", equalTo("eos_token"))
                .body("details.generated_tokens", equalTo(3))
                .body("details.seed", equalTo(5))
                .body("details.tokens", hasSize(3))
                .body("details.tokens[0].id", equalTo(97))
                .body("details.tokens[0].text", equalTo("a"))
                .body("details.tokens[0].special", equalTo(false));
    }

    @Test
    void runsWithAdapters() {
        post("/generate", asked(Map.of("adapter_id", "math", "adapter_source", "local")))
                .body("generated_text", equalTo("[math] abc"));
        post(
                        "/generate",
                        asked(Map.of(
                                "merged_adapters",
                                Map.of("ids", List.of("math", "biology"), "weights", List.of(0.5, 2)))))
                .statusCode(200);
        assertThat(factory.worker().requests().getLast().adapters())
                .containsExactlyInAnyOrder(new WeightedAdapter("math", 0.5f), new WeightedAdapter("biology", 2));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{}|422|validation|inputs is missing",
                "{\"inputs\":7}|422|validation|inputs must be a string",
                "{\"inputs\":\"a\",\"parameters\":{\"max_new_tokens\":0}}|422|validation|parameters.max_new_tokens must be at least 1",
                "{\"inputs\":\"a\",\"parameters\":{\"temperature\":-1}}|422|validation|temperature",
                "{\"inputs\":\"a\",\"parameters\":{\"adapter_id\":\"nobody\"}}|404|not_found|nobody",
                "{\"inputs\":\"a\",\"parameters\":{\"adapter_source\":\"hub\"}}|501|validation|parameters.adapter_source is not offered",
                "{\"inputs\":\"a\",\"parameters\":{\"watermark\":true}}|501|validation|parameters.watermark is not offered",
                "{\"inputs\":\"a\",\"parameters\":{\"best_of\":2}}|501|validation|parameters.best_of is not offered",
                "{\"inputs\":\"a\",\"parameters\":{\"merged_adapters\":{\"ids\":[\"math\"],\"merge_strategy\":\"ties\"}}}|422|validation|merge_strategy",
                "nonsense|422|validation|the body is not JSON"
            })
    void refusesInItsOwnEnvelope(String body, int status, String type, String message) {
        for (String path : List.of("/generate", "/generate_stream")) {
            post(path, body)
                    .statusCode(status)
                    .body("error_type", equalTo(type))
                    .body("error", containsString(message));
        }
    }

    @Test
    void streamsATokenAnEventAndTheWholeTextWithTheLast() throws Exception {
        String text = post("/generate_stream", asked(Map.of("details", true)))
                .statusCode(200)
                .contentType("text/event-stream")
                .extract()
                .asString();
        List<JsonNode> events = new ArrayList<>();
        for (String line :
                text.lines().filter(line -> line.startsWith("data: ")).toList()) {
            events.add(new ObjectMapper().readTree(line.substring(6)));
        }
        assertThat(events).hasSize(3);
        assertThat(events)
                .extracting(event -> event.path("token").path("text").asText())
                .containsExactly("a", "b", "c");
        assertThat(events.getFirst().path("generated_text").isNull()).isTrue();
        assertThat(events.getLast().path("generated_text").asText()).isEqualTo("abc");
        assertThat(events.getLast().path("details").path("finish_reason").asText())
                .isEqualTo("eos_token");
        assertThat(text).doesNotContain("[DONE]");
    }

    @Test
    void tellsTheModel() {
        given().get("/info")
                .then()
                .statusCode(200)
                .body("model_id", equalTo(FakeWorker.MODEL))
                .body("max_total_tokens", equalTo(2048));
    }
}
