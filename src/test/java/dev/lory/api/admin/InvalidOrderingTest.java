package dev.lory.api.admin;

import static io.restassured.RestAssured.given;
import static org.assertj.core.api.Assertions.assertThat;
import static org.hamcrest.Matchers.empty;
import static org.hamcrest.Matchers.equalTo;
import static org.hamcrest.Matchers.hasItem;
import static org.hamcrest.Matchers.not;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.lory.database.DatabaseResource;
import dev.lory.worker.FakeWorker;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.restassured.response.ValidatableResponse;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every ordering file of the fixtures that cannot be meant, over HTTP: refused with what is wrong, and nothing of it is kept. */
@QuarkusTest
@WithTestResource(DatabaseResource.class)
class InvalidOrderingTest {
    private static final Path INVALID = Path.of("src/test/resources/fixtures/orderings/invalid");

    /** One whose order is only warned of, and one that lacks what only X-LoRA needs. */
    private static final Set<String> USABLE =
            Set.of("layers-out-of-definition-order.json", "xlora-without-layers.json");

    static List<String> files() throws IOException {
        JsonNode index = new ObjectMapper().readTree(Files.readAllBytes(INVALID.resolve("index.json")));
        List<String> files = new ArrayList<>();
        index.fieldNames().forEachRemaining(files::add);
        assertThat(files).hasSizeGreaterThan(20);
        return files;
    }

    @ParameterizedTest
    @MethodSource("files")
    void isRefusedAndNotKept(String file) throws IOException {
        String content = Files.readString(INVALID.resolve(file))
                .replaceAll("\"base_model_id\": \"[^\"]+\"", "\"base_model_id\": \"" + FakeWorker.MODEL + "\"");
        String ordering = "/api/v1/orderings/" + file.replace(".json", "");
        ValidatableResponse answer = given().contentType("application/json")
                .body(content)
                .post(ordering)
                .then();
        if (USABLE.contains(file)) {
            answer.statusCode(201);
            return;
        }
        answer.statusCode(422)
                .body("code", equalTo("invalid_ordering"))
                .body("findings.detail", not(empty()))
                .body("findings.severity", hasItem("ERROR"));
        given().get(ordering).then().statusCode(404);
    }
}
