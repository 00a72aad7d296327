package dev.lory.api.admin;

import static io.restassured.RestAssured.given;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.hamcrest.Matchers.contains;
import static org.hamcrest.Matchers.containsString;
import static org.hamcrest.Matchers.endsWith;
import static org.hamcrest.Matchers.equalTo;
import static org.hamcrest.Matchers.hasItem;
import static org.hamcrest.Matchers.not;

import dev.lory.database.DatabaseResource;
import dev.lory.registry.AliasService;
import dev.lory.registry.Eventually;
import dev.lory.registry.FakeWorkerFactory;
import dev.lory.registry.Sql;
import dev.lory.worker.FakeWorker;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.restassured.response.ValidatableResponse;
import io.restassured.specification.RequestSpecification;
import jakarta.inject.Inject;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Aliases over REST, on a real database. */
@QuarkusTest
@WithTestResource(DatabaseResource.class)
class AliasApiTest {
    private static final String ALIASES = "/api/v1/aliases/";
    private static final String MIXTURE = "{'targets': [{'adapters': ['math', {'name': 'biology', 'weight': 0.5}]}]}";
    private static final String CANARY =
            "{'targets': [{'adapters': ['math'], 'share': 90}, {'adapters': [], 'share': 10}]}";

    @Inject
    AliasService aliases;

    @Inject
    FakeWorkerFactory workers;

    @Inject
    Sql sql;

    @AfterEach
    void deleteAll() {
        aliases.list().forEach(alias -> aliases.delete(alias.name(), alias.revision(), "test"));
    }

    private static RequestSpecification json(String body) {
        return given().contentType("application/json").body(body.replace('\'', '"'));
    }

    private static ValidatableResponse make(String name, String body) {
        return json(body).header("If-None-Match", "*").put(ALIASES + name).then();
    }

    private static ValidatableResponse replace(String name, Object revision, String body) {
        return json(body)
                .header("If-Match", "\"" + revision + "\"")
                .put(ALIASES + name)
                .then();
    }

    private static ValidatableResponse problem(ValidatableResponse response, int status, String code) {
        return response.statusCode(status)
                .contentType("application/problem+json")
                .body("code", equalTo(code));
    }

    @Test
    void makesReplacesGoesBackAndDeletes() {
        int first = make("cycle", MIXTURE)
                .statusCode(201)
                .header("Location", endsWith("/api/v1/aliases/cycle"))
                .header("ETag", "\"1\"")
                .body("targets[0].adapters.name", contains("math", "biology"))
                .body("targets[0].adapters.weight", contains(1f, 0.5f))
                .body("targets[0].share", equalTo(1f))
                .body("cause", equalTo("API"))
                .body("actor", equalTo("anonymous"))
                .extract()
                .path("revision");
        given().get(ALIASES).then().statusCode(200).body("name", hasItem("cycle"));
        replace("cycle", first, MIXTURE).statusCode(200).header("ETag", "\"1\"");
        replace("cycle", first, CANARY)
                .statusCode(200)
                .header("ETag", "\"2\"")
                .body("targets.share", contains(90f, 10f))
                .body("targets[1].adapters.size()", equalTo(0));
        given().get(ALIASES + "cycle").then().statusCode(200).header("ETag", "\"2\"");

        given().post(ALIASES + "cycle/rollback?to=1")
                .then()
                .statusCode(201)
                .header("ETag", "\"3\"")
                .body("cause", equalTo("ROLLBACK"))
                .body("rollback_of", equalTo(1));
        given().post(ALIASES + "cycle/rollback?to=1").then().statusCode(200).header("ETag", "\"3\"");
        given().get(ALIASES + "cycle/revisions").then().body("revision", contains(3, 2, 1));
        given().get(ALIASES + "cycle/revisions/2").then().statusCode(200).body("targets.size()", equalTo(2));

        problem(given().delete(ALIASES + "cycle").then(), 428, "precondition_required");
        given().header("If-Match", "\"3\"").delete(ALIASES + "cycle").then().statusCode(204);
        problem(given().get(ALIASES + "cycle").then(), 404, "not_found").body("detail", containsString("`cycle`"));
        given().get(ALIASES).then().body("name", not(hasItem("cycle")));
        given().get(ALIASES + "cycle/revisions").then().body("cause", contains("DELETE", "ROLLBACK", "API", "API"));

        problem(given().post(ALIASES + "cycle/rollback?to=4").then(), 409, "conflict");
        given().post(ALIASES + "cycle/rollback?to=2").then().statusCode(201).header("ETag", "\"5\"");
        given().get(ALIASES + "cycle").then().statusCode(200).body("targets.size()", equalTo(2));
    }

    @Test
    void saysThatThereIsNone() {
        problem(given().get(ALIASES + "none").then(), 404, "not_found");
        problem(given().header("If-Match", "\"1\"").delete(ALIASES + "none").then(), 404, "not_found");
        problem(given().get(ALIASES + "none/revisions").then(), 404, "not_found");
        problem(given().post(ALIASES + "none/rollback?to=1").then(), 404, "not_found");
        make("some", MIXTURE).statusCode(201);
        problem(given().get(ALIASES + "some/revisions/9").then(), 404, "not_found")
                .body("detail", containsString("the latest is 1"));
    }

    @Test
    void changesOnlyTheRevisionThatTheClientHasSeen() {
        problem(json(MIXTURE).put(ALIASES + "guarded").then(), 428, "precondition_required");
        problem(replace("guarded", 1, MIXTURE), 409, "revision_conflict").body("detail", containsString("no alias"));
        replace("guarded", 0, MIXTURE).statusCode(201);
        problem(make("guarded", CANARY), 409, "revision_conflict").header("X-Should-Retry", "false");
        problem(replace("guarded", 7, CANARY), 409, "revision_conflict")
                .body("detail", containsString("at revision 1"));
        problem(given().header("If-Match", "\"7\"").delete(ALIASES + "guarded").then(), 409, "revision_conflict");
        problem(
                given().header("If-Match", "\"7\"")
                        .post(ALIASES + "guarded/rollback?to=1")
                        .then(),
                409,
                "revision_conflict");
        problem(
                json(CANARY)
                        .header("If-None-Match", "\"1\"")
                        .put(ALIASES + "guarded")
                        .then(),
                400,
                "invalid_request");
        problem(
                json(CANARY)
                        .header("If-None-Match", "*")
                        .header("If-Match", "\"1\"")
                        .put(ALIASES + "guarded")
                        .then(),
                400,
                "invalid_request");
    }

    @Test
    void letsExactlyOneOfManyWritersWithTheSameRevisionWin() throws Exception {
        make("raced", MIXTURE).statusCode(201);
        List<Integer> statuses = new ArrayList<>();
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<Integer>> writers = new ArrayList<>();
            for (int i = 1; i <= 8; i++) {
                String body = "{'targets': [{'adapters': [{'name': 'math', 'weight': " + i + "}]}]}";
                writers.add(
                        threads.submit(() -> replace("raced", 1, body).extract().statusCode()));
            }
            for (Future<Integer> writer : writers) {
                statuses.add(writer.get());
            }
        }
        assertThat(statuses).containsOnly(200, 409).containsOnlyOnce(200);
        given().get(ALIASES + "raced/revisions").then().body("size()", equalTo(2));
    }

    @Test
    void saysAllThatIsWrongAtOnce() {
        problem(make("math", """
                {'targets': [
                  {'adapters': ['math', 'nobody', 'math'], 'share': -1},
                  {'adapters': [{'name': 'biology', 'weight': 1e99}], 'share': 1e99},
                  {'adapters': []}, {'adapters': []}]}"""), 422, "invalid_alias")
                .body(
                        "findings.path",
                        contains(
                                "name",
                                "targets[0].share",
                                "targets[0].adapters[1]",
                                "targets[0].adapters[2]",
                                "targets[1].share",
                                "targets[1].adapters[0].weight",
                                "targets[3]"))
                .body("findings[0].detail", containsString("`math` is an adapter"))
                .body("findings[2].detail", containsString("`nobody`"))
                .body("findings[6].detail", containsString("targets[2]"));
        problem(make(FakeWorker.MODEL, MIXTURE), 422, "invalid_alias").body("detail", containsString("the base model"));
        problem(make("a:b", MIXTURE), 422, "invalid_alias").body("detail", containsString("colon"));
        problem(make("idle", "{'targets': [{'adapters': ['math'], 'share': 0}]}"), 422, "invalid_alias")
                .body("detail", containsString("above 0"));
        problem(make("mixed", "{'targets': [{'adapters': ['math', 'xlora']}]}"), 422, "invalid_alias")
                .body("findings[0].path", equalTo("targets[0].adapters[1]"))
                .body("findings[0].detail", containsString("is an X-LoRA"));
        problem(make("nothing", "{'targets': []}"), 422, "invalid_alias").body("detail", containsString("1 to 64"));
        for (String refused : List.of("math", FakeWorker.MODEL, "a:b", "idle", "nothing")) {
            given().get(ALIASES + refused + "/revisions").then().statusCode(404);
        }
    }

    @Test
    void takesNoNameThatTheDatabaseCannotHave() {
        problem(
                        json(MIXTURE)
                                .urlEncodingEnabled(false)
                                .header("If-None-Match", "*")
                                .put(ALIASES + "a%00b")
                                .then(),
                        422,
                        "invalid_alias")
                .body("detail", containsString("control characters"));
        problem(given().urlEncodingEnabled(false).get(ALIASES + "a%00b").then(), 404, "not_found");
        problem(make("odd", "{'targets': [{'adapters': ['a\\u0000b']}]}"), 422, "invalid_alias")
                .body("findings.path", contains("targets[0].adapters[0]"));
    }

    @ParameterizedTest
    @CsvSource(
            quoteCharacter = '\0',
            delimiter = '|',
            value = {
                "{'target': []}|target is not a field here",
                "{}|targets is required",
                "{'targets': ['math']}|targets[0] must be an object",
                "{'targets': [{}]}|targets[0].adapters is required",
                "{'targets': [{'adapters': [], 'weight': 1}]}|targets[0].weight is not a field here",
                "{'targets': [{'adapters': [], 'share': '1'}]}|targets[0].share must be a number",
                "{'targets': [{'adapters': [{'name': 1}]}]}|targets[0].adapters[0].name must be a string",
            })
    void namesTheFieldOfAMalformedBody(String body, String words) {
        problem(make("malformed", body), 400, "invalid_request").body("detail", containsString(words));
    }

    @Test
    void refusesAnAdapterThatFailedToLoad() throws Exception {
        workers.worker().failLoading("alias-broken", "no such file");
        register("alias-broken").statusCode(201);
        Eventually.is(() -> state("alias-broken"), "FAILED");
        problem(make("onto-broken", "{'targets': [{'adapters': ['alias-broken']}]}"), 422, "invalid_alias")
                .body("detail", containsString("no such file"));
    }

    private static ValidatableResponse register(String name) {
        return json("{'name': '" + name + "', 'source': 'adapters/" + name + "'}")
                .post("/api/v1/adapters")
                .then();
    }

    private static String state(String adapter) {
        return given().get("/api/v1/adapters/" + adapter).then().extract().path("state");
    }

    @Test
    void sharesItsNamesWithAdapters() {
        make("shared-name", MIXTURE).statusCode(201);
        problem(register("shared-name"), 409, "conflict").body("detail", containsString("`shared-name`"));
        given().header("If-Match", "\"1\"")
                .delete(ALIASES + "shared-name")
                .then()
                .statusCode(204);
        register("shared-name").statusCode(201);
        problem(make("shared-name", MIXTURE), 422, "invalid_alias");
        problem(given().post(ALIASES + "shared-name/rollback?to=1").then(), 422, "invalid_alias");
    }

    @Test
    void keepsTheAdaptersOfItsTargets() throws Exception {
        register("kept").statusCode(201);
        Eventually.is(() -> state("kept"), "READY");
        make("keeper", "{'targets': [{'adapters': ['math']}, {'adapters': ['kept'], 'share': 0}]}")
                .statusCode(201);
        problem(given().delete("/api/v1/adapters/kept").then(), 409, "conflict")
                .body("detail", containsString("`keeper`"));
        problem(given().post("/api/v1/adapters/kept/unload").then(), 409, "conflict")
                .body("detail", containsString("`keeper`"));
        replace("keeper", 1, "{'targets': [{'adapters': ['math']}]}").statusCode(200);
        given().delete("/api/v1/adapters/kept").then().statusCode(204);
        problem(given().post(ALIASES + "keeper/rollback?to=1").then(), 422, "invalid_alias")
                .body("findings.path", contains("targets[1].adapters[0]"));
    }

    @Test
    void seesAChangeByAnotherReplica() throws Exception {
        sql.run("""
                insert into adapter_alias (base_model_id, name, revision, targets, cause, actor, at)
                select id, 'from-afar', 1, '[{"adapters":[{"name":"math","weight":1}],"share":1}]', 'API', 'replica', now()
                from base_model""");
        Eventually.is(() -> given().get("/v1/models/from-afar").statusCode(), 200);
        sql.run("""
                insert into adapter_alias (base_model_id, name, revision, targets, cause, actor, at)
                select id, 'from-afar', 2, '[]', 'DELETE', 'replica', now() from base_model""");
        Eventually.is(() -> given().get("/v1/models/from-afar").statusCode(), 404);
    }

    @Test
    void writesAnAuditRowForEachChangeAndNeverChangesARevision() throws SQLException {
        make("audited", CANARY).statusCode(201);
        given().header("If-Match", "\"1\"").delete(ALIASES + "audited").then().statusCode(204);
        given().post(ALIASES + "audited/rollback?to=1").then().statusCode(201);
        assertThat(sql.text("select string_agg(action || ': ' || before || ' > ' || after, '; ' order by id) from audit"
                        + " where subject = 'alias/audited'"))
                .isEqualTo("replace:  > [90.0x[math], 10.0x[]]; delete: [90.0x[math], 10.0x[]] > ;"
                        + " rollback:  > [90.0x[math], 10.0x[]]");
        assertThatThrownBy(() -> sql.run("update adapter_alias set actor = 'x' where name = 'audited'"))
                .hasMessageContaining("insert-only");
    }
}
