package dev.lory.api.openai;

import static io.restassured.RestAssured.given;
import static org.assertj.core.api.Assertions.assertThat;
import static org.hamcrest.Matchers.containsString;
import static org.hamcrest.Matchers.equalTo;
import static org.hamcrest.Matchers.hasItem;
import static org.hamcrest.Matchers.notNullValue;
import static org.hamcrest.Matchers.nullValue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import dev.lory.database.DatabaseResource;
import dev.lory.worker.FakeWorker;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.restassured.specification.RequestSpecification;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The OpenAI API over HTTP, with a worker that answers with the prompt. */
@QuarkusTest
@WithTestResource(DatabaseResource.class)
class OpenAiApiTest {
    private static final String CHAT = "/v1/chat/completions";
    private static final String HI = "'adapters':[],'messages':[{'role':'user','content':'Hi'}]";

    private static RequestSpecification json(String body) {
        return given().contentType("application/json").body(body.replace('\'', '"'));
    }

    @Test
    void streamsFramesAsClientsExpectThem() {
        String body = json("{'stream':true,'stream_options':{'include_usage':true}," + HI + "}")
                .post(CHAT)
                .then()
                .statusCode(200)
                .header("Content-Type", "text/event-stream;charset=UTF-8")
                .header("Cache-Control", "no-cache")
                .extract()
                .asString();
        assertThat(body).endsWith("data: [DONE]\n\n").doesNotContain("\"error\"");
        List<String> frames = List.of(body.split("\n\n"));
        assertThat(frames).hasSize(6).allMatch(frame -> frame.startsWith("data: ") && !frame.contains("\n"));
        assertThat(frames.get(0)).contains("\"delta\":{\"role\":\"assistant\",\"content\":\"\"}", "\"usage\":null");
        assertThat(frames.get(1)).contains("\"delta\":{\"content\":\"H\"}");
        assertThat(frames.get(3)).contains("\"delta\":{}", "\"finish_reason\":\"stop\"");
        assertThat(frames.get(4)).contains("\"choices\":[]", "\"completion_tokens\":2");
    }

    @Test
    void answersInOnePieceWithItsHeaders() {
        json("{" + HI + "}")
                .header("x-request-id", "mine")
                .post(CHAT)
                .then()
                .statusCode(200)
                .header("x-request-id", "mine")
                .header("x-adapter-revision", notNullValue())
                .body("choices[0].message.content", equalTo("Hi"));
        json("{'model':'" + FakeWorker.MODEL + "','adapters':[],'prompt':'ab'}")
                .post("/v1/completions")
                .then()
                .statusCode(200)
                .header("x-request-id", notNullValue())
                .body("choices[0].text", equalTo("ab"));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '~',
            value = {
                "{'messages': | 400 | not JSON at line 1",
                "{'temperature':NaN} | 400 | NaN",
                "{} trailing | 400 | not JSON",
                "{'messages':[]} | 400 | messages",
                "{'stream':true,'messages':[]} | 400 | messages",
                "{'model':'nobody','messages':[{'role':'user','content':'x'}]} | 404 | nobody",
            })
    void tellsErrorsInTheEnvelopeOfOpenAi(String body, int status, String message) {
        json(body)
                .post(CHAT)
                .then()
                .statusCode(status)
                .contentType("application/json")
                .header("x-request-id", notNullValue())
                .body("error.message", containsString(message))
                .body("error.type", notNullValue())
                .body("error.code", notNullValue());
    }

    @Test
    void answersWhatIsNotThereInTheSameEnvelope() {
        given().get("/v1/nothing").then().statusCode(404).body("error.message", containsString("/v1/nothing"));
        given().get(CHAT).then().statusCode(405).body("error.message", containsString(CHAT));
        json("{}").post("/v1/embeddings").then().statusCode(501).body("error.param", nullValue());
    }

    @Test
    void listsModels() {
        given().get("/v1/models")
                .then()
                .statusCode(200)
                .body("object", equalTo("list"))
                .body("data.id", hasItem(FakeWorker.MODEL));
        given().get("/v1/models/" + FakeWorker.MODEL).then().statusCode(200).body("owned_by", equalTo("lory"));
        given().get("/v1/models/a/b:c").then().statusCode(404).body("error.code", equalTo("model_not_found"));
    }

    @Test
    void tellsHealthAndMetrics() {
        given().get("/health").then().statusCode(200).body("status", equalTo("ok"));
        json("{" + HI + "}").post(CHAT).then().statusCode(200);
        String metrics =
                given().get("/metrics").then().statusCode(200).extract().asString();
        assertThat(metrics)
                .contains("vllm:num_requests_running{", "vllm:kv_cache_usage_perc", "vllm:generation_tokens_total")
                .contains("vllm:e2e_request_latency_seconds_bucket{model_name=");
    }

    /** The order of fields differs from build to build, so the documents are compared leaf by leaf. */
    @Test
    void theCommittedOpenApiDocumentIsTheOneThatIsServed() throws IOException {
        Map<String, String> served = leaves(
                new ObjectMapper().readTree(given().get("/openapi?format=json").asString()));
        Map<String, String> committed =
                leaves(new YAMLMapper().readTree(Files.readAllBytes(Path.of("openapi", "openapi.yaml"))));
        Map<String, String> added = new TreeMap<>(served);
        added.entrySet().removeAll(committed.entrySet());
        Map<String, String> removed = new TreeMap<>(committed);
        removed.entrySet().removeAll(served.entrySet());
        assertThat(List.of(added, removed))
                .as(
                        "served and not committed, committed and not served; if wanted: cp target/openapi/openapi.yaml openapi/")
                .containsExactly(Map.of(), Map.of());
    }

    private static Map<String, String> leaves(JsonNode document) {
        Map<String, String> leaves = new TreeMap<>();
        collect("", document, leaves);
        assertThat(leaves).hasSizeGreaterThan(100);
        return leaves;
    }

    private static void collect(String path, JsonNode node, Map<String, String> leaves) {
        if (node.isContainerNode() && !node.isEmpty()) {
            node.properties().forEach(field -> collect(path + "/" + field.getKey(), field.getValue(), leaves));
            for (int i = 0; node.isArray() && i < node.size(); i++) {
                collect(path + "/" + i, node.get(i), leaves);
            }
        } else {
            leaves.put(path, node.toString());
        }
    }
}
