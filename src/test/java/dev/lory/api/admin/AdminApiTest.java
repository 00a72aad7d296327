package dev.lory.api.admin;

import static io.restassured.RestAssured.given;
import static org.hamcrest.Matchers.containsString;
import static org.hamcrest.Matchers.endsWith;
import static org.hamcrest.Matchers.equalTo;
import static org.hamcrest.Matchers.hasItem;
import static org.hamcrest.Matchers.hasItems;
import static org.hamcrest.Matchers.not;
import static org.hamcrest.Matchers.startsWith;

import dev.lory.database.DatabaseResource;
import dev.lory.worker.FakeWorker;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.restassured.response.ValidatableResponse;
import io.restassured.specification.RequestSpecification;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@QuarkusTest
@WithTestResource(DatabaseResource.class)
class AdminApiTest {
    private static final String CURRENT = "/api/v1/activations/current";

    @Test
    void takesAnOrderingOnceAndAnswersItsRevisionTheSecondTime() {
        String file = "{\"base_model_id\": \"" + FakeWorker.MODEL + "\", \"order\": [\"math\"]}";
        String location = json(file)
                .post("/api/v1/orderings/over-http?activate=true&comment=why")
                .then()
                .statusCode(201)
                .header("Location", endsWith("/api/v1/orderings/over-http/revisions/1"))
                .body("created", equalTo(true))
                .body("revision.content.base_model_id", equalTo(FakeWorker.MODEL))
                .body("revision.created_by", equalTo("anonymous"))
                .extract()
                .header("Location");
        given().get(location).then().statusCode(200).body("comment", equalTo("why"));
        given().get(CURRENT).then().body("cause", equalTo("ORDER")).body("adapters[0].name", equalTo("math"));

        json(file).post("/api/v1/orderings/over-http").then().statusCode(200).body("created", equalTo(false));
        given().get("/api/v1/orderings").then().body("name", hasItems("demo", "over-http"));
        given().get("/api/v1/orderings/over-http").then().body("revision", equalTo(1));
        given().get("/api/v1/orderings/over-http/revisions").then().body("size()", equalTo(1));
        problem(given().get("/api/v1/orderings/over-http/revisions/9").then(), 404, "not_found")
                .body("detail", containsString("the latest is 1"));
        problem(given().get("/api/v1/orderings/none").then(), 404, "not_found");
    }

    @Test
    void comparesRevisionsOfAnOrderingAndGoesBack() {
        String file = "{\"base_model_id\": \"" + FakeWorker.MODEL + "\", \"order\": [\"%s\"]}";
        json(file.formatted("math")).post("/api/v1/orderings/turning").then().statusCode(201);
        json(file.formatted("biology")).post("/api/v1/orderings/turning").then().statusCode(201);
        given().get("/api/v1/orderings/turning/diff?from=1&to=2")
                .then()
                .statusCode(200)
                .body("path", equalTo(List.of("order[0]")))
                .body("[0].before", equalTo("math"))
                .body("[0].after", equalTo("biology"));
        given().post("/api/v1/orderings/turning/rollback?to=1&activate=true")
                .then()
                .statusCode(201)
                .body("revision.revision", equalTo(3))
                .body("revision.comment", equalTo("rollback to revision 1"));
        given().get(CURRENT).then().body("adapters.name", equalTo(List.of("math")));
        given().post("/api/v1/orderings/turning/rollback?to=1")
                .then()
                .statusCode(200)
                .body("revision.revision", equalTo(3));
        problem(given().post("/api/v1/orderings/turning/rollback").then(), 404, "not_found");
        problem(given().get("/api/v1/orderings/turning/diff?from=1&to=9").then(), 404, "not_found");
    }

    @Test
    void makesAndChecksOrderingsWithoutKeepingThem() {
        String made = json("{\"target_modules\": [\"q_proj\"], \"adapters\": [\"a\"]}")
                .post("/api/v1/orderings/generate")
                .then()
                .statusCode(200)
                .body("base_model_id", equalTo(FakeWorker.MODEL))
                .body("order", equalTo(List.of("a")))
                .extract()
                .asString();
        json(made)
                .post("/api/v1/orderings/validate")
                .then()
                .statusCode(200)
                .body("usable", equalTo(true))
                .body("findings.size()", equalTo(0));
        json("{\"order\": [\"a\", \"a\"]}")
                .post("/api/v1/orderings/validate")
                .then()
                .statusCode(200)
                .body("usable", equalTo(false))
                .body("findings.path", equalTo(List.of("base_model_id", "order[1]")));
        problem(
                        json("{\"target_modules\": [\"x\"], \"adapters\": [\"a\"]}")
                                .post("/api/v1/orderings/generate")
                                .then(),
                        400,
                        "invalid_request")
                .body("detail", containsString("`x`"));
        problem(json("{\"adapters\": []}").post("/api/v1/orderings/generate").then(), 400, "invalid_request")
                .body("detail", containsString("target_modules is required"));
    }

    @Test
    void goesBackToAnActivation() {
        int before = json("{\"adapter_names\": [\"math\"]}")
                .post("/activate_adapters")
                .then()
                .extract()
                .path("revision");
        json("{\"adapter_names\": [\"biology\"]}")
                .post("/activate_adapters")
                .then()
                .statusCode(200);
        String tag = given().post("/api/v1/activations/" + before + "/rollback")
                .then()
                .statusCode(200)
                .body("cause", equalTo("ROLLBACK"))
                .body("rollback_of", equalTo(before))
                .body("adapters.name", equalTo(List.of("math")))
                .extract()
                .header("ETag");
        given().get(CURRENT).then().header("ETag", tag);
        problem(
                given().header("If-Match", "\"" + before + "\"")
                        .post("/api/v1/activations/" + before + "/rollback")
                        .then(),
                409,
                "revision_conflict");
        problem(given().post("/api/v1/activations/999999/rollback").then(), 404, "not_found");
    }

    @Test
    void refusesABadOrderingWithEveryFinding() {
        problem(
                        json("{\"order\": [\"a\", \"a\"], \"layers\": []}")
                                .post("/api/v1/orderings/bad")
                                .then(),
                        422,
                        "invalid_ordering")
                .body("findings.path", hasItems("base_model_id", "order[1]", "layers"))
                .body("findings.severity", hasItem("ERROR"));
    }

    @Test
    void replacesTheActivationOnlyWithTheCurrentRevision() {
        String tag = given().get(CURRENT).then().statusCode(200).extract().header("ETag");
        String body = "{\"adapters\": [\"math\", {\"name\": \"biology\", \"weight\": 0.5}]}";
        problem(json(body).put(CURRENT).then(), 428, "precondition_required").body("detail", containsString(tag));

        String next = json(body)
                .header("If-Match", tag)
                .put(CURRENT)
                .then()
                .statusCode(200)
                .body("adapters[1].weight", equalTo(0.5f))
                .extract()
                .header("ETag");
        problem(json(body).header("If-Match", tag).put(CURRENT).then(), 409, "revision_conflict")
                .header("X-Should-Retry", "false");
        given().get(CURRENT).then().header("ETag", next);
        given().get("/api/v1/activations")
                .then()
                .body("[0].revision", equalTo(Integer.parseInt(next.replace("\"", ""))));
    }

    @Test
    void activatesByNameAsTheSeedDid() {
        json("{\"adapter_names\": [\"math\", \"reasoning\"]}")
                .post("/activate_adapters")
                .then()
                .statusCode(200)
                .contentType("application/json")
                .body("activated", equalTo(List.of("math", "reasoning")));
        given().get(CURRENT).then().body("adapters.name", equalTo(List.of("math", "reasoning")));

        json("{\"adapter_names\": [\"biology\"]}")
                .accept("text/plain")
                .post("/activate_adapters")
                .then()
                .statusCode(200)
                .contentType("text/plain")
                .body(equalTo("Adapter activation: [\"biology\"]"));

        problem(
                        json("{\"adapter_names\": [\"math\", \"nobody\"]}")
                                .post("/activate_adapters")
                                .then(),
                        404,
                        "adapter_not_found")
                .body("detail", containsString("`nobody`"));
        given().get(CURRENT).then().body("adapters.name", equalTo(List.of("biology")));
    }

    @ParameterizedTest
    @CsvSource(
            quoteCharacter = '\0',
            delimiter = '|',
            value = {
                "{|the body is not JSON at line 1",
                "[]|the body must be a JSON object with adapter_names",
                "{}|adapter_names is required",
                "{\"adapter_names\": \"math\"}|adapter_names must be an array but is \"math\"",
                "{\"adapter_names\": [1]}|adapter_names[0] must be a string but is 1",
                "{\"adapters\": []}|adapters is not a field here",
                "{\"adapter_names\": [], \"adapter_names\": []}|Duplicate field",
            })
    void namesTheFieldOfAMalformedBody(String body, String words) {
        problem(json(body).post("/activate_adapters").then(), 400, "invalid_request")
                .body("detail", containsString(words));
    }

    @ParameterizedTest
    @CsvSource(
            quoteCharacter = '\0',
            delimiter = '|',
            value = {
                "{\"adapters\": [{\"name\": \"math\", \"weight\": \"1\"}]}|adapters[0].weight must be a number",
                "{\"adapters\": [{\"weight\": 1}]}|adapters[0].name is required",
                "{\"adapters\": [{\"name\": \"math\", \"scale\": 1}]}|adapters[0].scale is not a field here",
                "{\"adapters\": [{\"name\": \"math\", \"weight\": 1e99}]}|must be a finite number",
            })
    void namesTheFieldOfAMalformedAdapter(String body, String words) {
        problem(json(body).header("If-Match", "\"1\"").put(CURRENT).then(), 400, "invalid_request")
                .body("detail", containsString(words));
    }

    @Test
    void showsAdaptersAndWhatBecameOfThem() {
        given().get("/api/v1/adapters").then().statusCode(200).body("name", hasItems("biology", "math", "reasoning"));
        given().get("/api/v1/adapters/math")
                .then()
                .body("kind", equalTo("LORA"))
                .body("source", equalTo("adapters/math"))
                .body("target_modules", equalTo(List.of("q_proj", "v_proj")));
        given().get("/api/v1/adapters/math/transitions")
                .then()
                .body("[0].from", equalTo("REGISTERED"))
                .body("[0].to", equalTo("LOADING"))
                .body("[0].actor", equalTo("reconciler"));
        problem(given().get("/api/v1/adapters/nobody").then(), 404, "adapter_not_found")
                .body("detail", containsString("`nobody`"));
    }

    @Test
    void answersProblemsAlsoWhereThereIsNoResource() {
        problem(given().get("/api/v1/nothing").then(), 404, "not_found")
                .body("detail", containsString("/api/v1/nothing"));
        problem(given().delete("/api/v1/adapters").then(), 405, "invalid_request");
        problem(given().get("/api/v1/orderings/demo/revisions/x").then(), 404, "not_found");
    }

    @Test
    void isReadyAndDescribed() {
        given().get("/q/health/ready").then().statusCode(200).body("checks.name", hasItem("lory"));
        given().accept("application/json")
                .get("/openapi")
                .then()
                .statusCode(200)
                .body("paths.'/activate_adapters'.post.operationId", equalTo("activateAdapters"))
                .body(
                        "paths.'/api/v1/orderings/{name}'.post.responses.keySet()",
                        hasItems("200", "201", "422", "default"))
                .body("components.schemas.Adapter.properties.keySet()", hasItems("target_modules", "state_reason"))
                .body("components.schemas.Problem.properties.keySet()", not(hasItem("members")))
                .body("info.title", startsWith("Lory"));
    }

    private static RequestSpecification json(String body) {
        return given().contentType("application/json").body(body);
    }

    private static ValidatableResponse problem(ValidatableResponse response, int status, String code) {
        return response.statusCode(status)
                .contentType("application/problem+json")
                .body("status", equalTo(status))
                .body("code", equalTo(code));
    }
}
