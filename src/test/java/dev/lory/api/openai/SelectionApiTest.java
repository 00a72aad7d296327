package dev.lory.api.openai;

import static io.restassured.RestAssured.given;
import static org.assertj.core.api.Assertions.assertThat;
import static org.hamcrest.Matchers.contains;
import static org.hamcrest.Matchers.containsString;
import static org.hamcrest.Matchers.equalTo;
import static org.hamcrest.Matchers.hasItem;
import static org.hamcrest.Matchers.nullValue;

import dev.lory.database.DatabaseResource;
import dev.lory.registry.ActivationService;
import dev.lory.registry.Alias.Target;
import dev.lory.registry.AliasService;
import dev.lory.worker.FakeWorker;
import dev.lory.worker.GenerationRequest.WeightedAdapter;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.restassured.response.ValidatableResponse;
import jakarta.inject.Inject;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Which adapters a request runs with, over HTTP: by alias, by the forms of a model's name, and by the current activation. */
@QuarkusTest
@WithTestResource(DatabaseResource.class)
class SelectionApiTest {
    private static final String HI = "'messages':[{'role':'user','content':'Hi'}]";
    private static final WeightedAdapter MATH = new WeightedAdapter("math", 1);
    private static final WeightedAdapter HALF = new WeightedAdapter("biology", 0.5f);

    @Inject
    AliasService aliases;

    @Inject
    ActivationService activations;

    @AfterEach
    void deleteAll() {
        aliases.list().forEach(alias -> aliases.delete(alias.name(), alias.revision(), "test"));
        activations.activate(List.of(), "test");
    }

    private static ValidatableResponse post(String path, String body) {
        return given().contentType("application/json")
                .body(body.replace('\'', '"'))
                .post(path)
                .then();
    }

    private static ValidatableResponse chat(String fields) {
        return post("/v1/chat/completions", "{" + fields + "," + HI + "}");
    }

    private static List<String> adapters(ValidatableResponse answer) {
        return answer.statusCode(200).extract().path("usage.adapter_details.name");
    }

    private void make(String name, Target... targets) {
        aliases.replace(name, List.of(targets), 0, "test");
    }

    @ParameterizedTest
    @ValueSource(strings = {"blend", "fake-model:blend", "fake-model::blend"})
    void runsWithANamedMixture(String model) {
        make("blend", new Target(List.of(MATH, HALF), 1));
        int revision = aliases.get("blend").revision();
        chat("'model':'" + model + "'")
                .statusCode(200)
                .header("x-lory-alias", "blend@" + revision)
                .body("model", equalTo(model))
                .body("usage.adapter_details.name", contains("math", "biology"))
                .body("usage.adapter_details.weight", contains(1f, 0.5f))
                .body("choices[0].message.content", equalTo("[math+biology] Hi"));
        post("/v1/completions", "{'model':'" + model + "','prompt':['a','b'],'n':2}")
                .statusCode(200)
                .header("x-lory-alias", "blend@" + revision)
                .body(
                        "choices.text",
                        contains("[math+biology] a", "[math+biology] a", "[math+biology] b", "[math+biology] b"));
        String stream = chat("'model':'" + model + "','stream':true,'stream_options':{'include_usage':true}")
                .statusCode(200)
                .header("x-lory-alias", "blend@" + revision)
                .extract()
                .asString();
        assertThat(stream).contains("\"name\":\"biology\"", "\"weight\":0.5");
        post("/tokenize", "{'model':'" + model + "','prompt':'a'}").statusCode(200);
    }

    @Test
    void keepsAUserWithItsTargetUntilTheShareTakesItOver() {
        Target canary = new Target(List.of(HALF), 10);
        make("canary", new Target(List.of(MATH), 90), canary);
        Map<String, List<String>> before = ofUsers();
        assertThat(before.values()).contains(List.of("math"), List.of("biology"));
        assertThat(ofUsers()).isEqualTo(before);
        before.forEach((user, names) -> assertThat(names)
                .isEqualTo(aliases.get("canary").forUser(user).adapters().stream()
                        .map(WeightedAdapter::name)
                        .toList()));

        int revision = aliases.get("canary").revision();
        aliases.replace(
                "canary", List.of(new Target(List.of(MATH), 50), new Target(List.of(HALF), 50)), revision, "test");
        Map<String, List<String>> after = ofUsers();
        assertThat(after).isNotEqualTo(before);
        before.forEach((user, names) -> {
            if (names.equals(List.of("biology"))) {
                assertThat(after).as(user).containsEntry(user, names);
            }
        });
        chat("'model':'canary','user':'user-1'").header("x-lory-alias", "canary@" + (revision + 1));
    }

    private static Map<String, List<String>> ofUsers() {
        Map<String, List<String>> picked = new TreeMap<>();
        for (int i = 0; i < 60; i++) {
            picked.put("user-" + i, adapters(chat("'model':'canary','user':'user-" + i + "'")));
        }
        return picked;
    }

    @Test
    void drawsForEachRequestWithoutAUserByItsId() {
        make("coin", new Target(List.of(MATH), 1), new Target(List.of(), 1));
        Set<List<String>> seen = IntStream.range(0, 40)
                .mapToObj(i -> {
                    ValidatableResponse answer = chat("'model':'coin','user':" + (i % 2 == 0 ? "''" : "null"));
                    String id = answer.extract().path("id");
                    List<String> names = adapters(answer);
                    assertThat(names)
                            .as(id)
                            .isEqualTo(aliases.get("coin").forRequest(id.replace("chatcmpl-", "")).adapters().stream()
                                    .map(WeightedAdapter::name)
                                    .toList());
                    return names;
                })
                .collect(Collectors.toSet());
        // all the same would be 1 in 2^39
        assertThat(seen).containsExactlyInAnyOrder(List.of("math"), List.of());
    }

    @Test
    void refusesAnAliasThatDisagrees() {
        make("blend", new Target(List.of(MATH), 1));
        make("split", new Target(List.of(MATH), 1), new Target(List.of(), 0));
        assertThat(adapters(chat("'model':'blend','adapters':['math']"))).containsExactly("math");
        chat("'model':'blend','adapters':['biology']")
                .statusCode(400)
                .body("error.code", equalTo("adapter_selection_conflict"));
        chat("'model':'split','adapters':['math']")
                .statusCode(400)
                .body("error.code", equalTo("adapter_selection_conflict"))
                .body("error.message", containsString("one of several targets"));
        chat("'model':'blend','user':5").statusCode(400).body("error.message", containsString("user must be a string"));
        chat("'model':'nobody'")
                .statusCode(404)
                .body("error.code", equalTo("model_not_found"))
                .header("x-lory-alias", nullValue());
    }

    @Test
    void listsAliasesAsModels() {
        make("blend ü", new Target(List.of(MATH), 1));
        int revision = aliases.get("blend ü").revision();
        given().get("/v1/models").then().statusCode(200).body("data.id", hasItem("blend ü"));
        given().get("/v1/models/blend ü")
                .then()
                .statusCode(200)
                .body("owned_by", equalTo("lory"))
                .body("root", equalTo("blend ü@" + revision))
                .body("parent", equalTo(FakeWorker.MODEL));
        chat("'model':'blend ü'").statusCode(200).header("x-lory-alias", "blend%20%C3%BC@" + revision);
        aliases.delete("blend ü", revision, "test");
        given().get("/v1/models/blend ü").then().statusCode(404).body("error.code", equalTo("model_not_found"));
        chat("'model':'blend ü'").statusCode(404);
    }

    @Test
    void takesTheCurrentActivationWhereARequestNamesNone() {
        for (List<WeightedAdapter> set : List.of(List.of(MATH, HALF), List.of(HALF), List.<WeightedAdapter>of())) {
            long revision = activations.activate(set, "test").revision();
            List<String> names = set.stream().map(WeightedAdapter::name).toList();
            assertThat(adapters(chat("'model':'" + FakeWorker.MODEL + "'")
                            .header("x-adapter-revision", Long.toString(revision))
                            .header("x-lory-alias", nullValue())))
                    .isEqualTo(names);
            assertThat(adapters(post("/v1/completions", "{'prompt':'a'}"))).isEqualTo(names);
            assertThat(adapters(chat("'adapters':['reasoning']"))).containsExactly("reasoning");
            assertThat(adapters(chat("'model':'math'"))).containsExactly("math");
            assertThat(adapters(chat("'adapters':[]"))).isEmpty();
        }
    }

    /** Never half of one set and half of another, and always the set of the revision that the answer names. */
    @Test
    void activatesAtomicallyUnderLoad() throws Exception {
        activations.activate(List.of(), "test");
        Map<Long, List<String>> activated = new ConcurrentHashMap<>();
        Map<Long, Set<List<String>>> seen = new ConcurrentHashMap<>();
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            Future<?> writer = threads.submit(() -> {
                for (int i = 0; i < 60 || seen.size() < 8 && i < 5000; i++) {
                    List<WeightedAdapter> set =
                            i % 2 == 0 ? List.of(MATH, HALF) : List.of(new WeightedAdapter("reasoning", 1));
                    activated.put(
                            activations.activate(set, "test").revision(),
                            set.stream().map(WeightedAdapter::name).toList());
                }
            });
            List<? extends Future<?>> readers = IntStream.range(0, 4)
                    .mapToObj(reader -> threads.submit(() -> {
                        while (!writer.isDone()) {
                            ValidatableResponse answer = chat("'model':'" + FakeWorker.MODEL + "'");
                            seen.computeIfAbsent(
                                            Long.parseLong(answer.extract().header("x-adapter-revision")),
                                            revision -> ConcurrentHashMap.newKeySet())
                                    .add(adapters(answer));
                        }
                    }))
                    .toList();
            writer.get();
            for (Future<?> reader : readers) {
                reader.get();
            }
        }
        seen.keySet().retainAll(activated.keySet());
        assertThat(seen).hasSizeGreaterThan(5);
        seen.forEach((revision, sets) ->
                assertThat(sets).as("revision %s", revision).containsExactly(activated.get(revision)));
    }
}
