package dev.lory.api.admin;

import static io.restassured.RestAssured.given;
import static org.assertj.core.api.Assertions.assertThat;
import static org.hamcrest.Matchers.containsString;
import static org.hamcrest.Matchers.equalTo;
import static org.hamcrest.Matchers.greaterThan;
import static org.hamcrest.Matchers.hasItem;
import static org.hamcrest.Matchers.not;
import static org.hamcrest.Matchers.startsWith;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.lory.adapter.AdapterPolicy;
import dev.lory.adapter.PeftFolder;
import dev.lory.database.DatabaseResource;
import dev.lory.kernel.Backend;
import dev.lory.kernel.ReferenceBackend;
import dev.lory.model.Decoder;
import dev.lory.model.Decoders;
import dev.lory.registry.Eventually;
import dev.lory.registry.FakeWorkerFactory;
import dev.lory.worker.FakeWorker;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.restassured.response.Response;
import io.restassured.response.ValidatableResponse;
import io.restassured.specification.RequestSpecification;
import jakarta.inject.Inject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.eclipse.microprofile.config.ConfigProvider;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Adapters over REST, checked against a real base model; the worker that loads them is a fake. */
@QuarkusTest
@WithTestResource(DatabaseResource.class)
class AdapterAdmissionTest {
    private static final String ADAPTERS = "/api/v1/adapters";
    private static final Path MALFORMED = Path.of("src/test/resources/fixtures/malformed");
    private static final Path VALID = MALFORMED.resolve("peft/valid");

    private final Backend backend = new ReferenceBackend();

    @Inject
    FakeWorkerFactory factory;

    private final Path uploads = ConfigProvider.getConfig().getValue("lory.adapters.uploads", Path.class);

    @BeforeEach
    void checkForReal() {
        Decoder decoder = Decoders.load(MALFORMED.resolve("base"), backend);
        factory.worker()
                .checkBy(folder -> new PeftFolder(Path.of(folder), AdapterPolicy.DEFAULT).check(decoder, backend));
    }

    @AfterEach
    void close() {
        factory.worker().checkBy(FakeWorker::usable);
        backend.close();
    }

    static Stream<Arguments> folders() throws IOException {
        JsonNode index =
                new ObjectMapper().readTree(MALFORMED.resolve("peft/index.json").toFile());
        return StreamSupport.stream(index.spliterator(), false)
                .map(folder -> Arguments.of(
                        folder.path("path").asText(), folder.path("expect").asText()));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("folders")
    void takesAnUploadOrSaysAllThatIsWrong(String folder, String expect) throws Exception {
        String name = folder.replace("peft/", "upload-");
        Response answer =
                form(MALFORMED.resolve(folder)).multiPart("name", name).post(ADAPTERS);
        if (folder.equals("peft/pickle-bin")) {
            problem(answer, 400).body("detail", containsString("`adapter_model.bin` has no place in an adapter"));
        } else if (expect.equals("reject") || answer.statusCode() == 422) {
            answer.then()
                    .statusCode(422)
                    .body("code", equalTo("invalid_adapter"))
                    .body("detail", not(containsString("/")))
                    .body("findings.size()", greaterThan(0))
                    .body("findings[0].detail", not(containsString(uploads.toString())));
            given().get(ADAPTERS + "/" + name).then().statusCode(404);
        } else {
            answer.then().statusCode(201).body("source", startsWith("upload:"));
            given().get(ADAPTERS + "/" + name + "/report").then().body("usable", equalTo(true));
            retire(name);
        }
        assertThat(kept()).as("nothing is left behind").isEmpty();
    }

    private List<Path> kept() throws IOException {
        if (!Files.exists(uploads)) {
            return List.of();
        }
        try (Stream<Path> found = Files.list(uploads)) {
            return found.toList();
        }
    }

    /** Once it was loaded. */
    private static void retire(String name) throws Exception {
        Eventually.is(() -> given().get(ADAPTERS + "/" + name).path("state"), "READY");
        given().delete(ADAPTERS + "/" + name).then().statusCode(204);
        given().get(ADAPTERS + "/" + name).then().statusCode(404);
        given().delete(ADAPTERS + "/" + name).then().statusCode(404);
    }

    @Test
    void keepsAnUploadOnceHoweverManyNamesItHas() throws Exception {
        String source = form(VALID).multiPart("name", "twice-a").post(ADAPTERS).path("source");
        form(VALID).multiPart("name", "twice-a").post(ADAPTERS).then().statusCode(200);
        form(VALID)
                .multiPart("name", "twice-b")
                .post(ADAPTERS)
                .then()
                .statusCode(201)
                .body("source", equalTo(source));
        json("{\"name\": \"twice-c\", \"source\": \"" + source + "\"}")
                .post(ADAPTERS)
                .then()
                .statusCode(201);
        assertThat(kept()).hasSize(1);
        for (String name : List.of("twice-a", "twice-b", "twice-c")) {
            assertThat(kept()).hasSize(1);
            retire(name);
        }
        assertThat(kept()).isEmpty();
    }

    @Test
    void checksWithoutKeeping() throws IOException {
        form(VALID)
                .post(ADAPTERS + "?dry_run=true")
                .then()
                .statusCode(200)
                .body("usable", equalTo(true))
                .body("files.name", equalTo(List.of("adapter_config.json", "adapter_model.safetensors")))
                .body("modules.size()", greaterThan(0))
                .body("modules[0].norm", greaterThan(0f));
        form(MALFORMED.resolve("peft/value-nan"))
                .post(ADAPTERS + "?dry_run=true")
                .then()
                .statusCode(200)
                .body("usable", equalTo(false))
                .body("findings.detail", hasItem(containsString("holds NaN")));
        assertThat(kept()).isEmpty();
        json("{\"source\": \"adapters/math\"}")
                .post(ADAPTERS + "?dry_run=true")
                .then()
                .statusCode(200)
                .body("usable", equalTo(false)) // made for another base
                .body("files[1].sha256.length()", equalTo(64));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "..",
                "../../etc",
                "/etc",
                "adapters/../../x",
                "upload:",
                "upload:.",
                "upload:x/..",
                "upload:../..",
                "upload:../../etc"
            })
    void refusesPathsThatLeaveTheRoot(String source) {
        problem(json("{\"name\": \"escape\", \"source\": \"" + source + "\"}").post(ADAPTERS), 400)
                .body("detail", containsString("outside the adapters root"));
        given().get(ADAPTERS + "/escape").then().statusCode(404);
    }

    @Test
    void refusesWhatIsNoAdmission() throws IOException {
        problem(json("{\"name\": \"x\"}").post(ADAPTERS), 400).body("detail", equalTo("source is required"));
        problem(json("{\"source\": \"adapters/math\"}").post(ADAPTERS), 400)
                .body("detail", equalTo("name is required"));
        problem(form(VALID).post(ADAPTERS), 400).body("detail", containsString("the name of the adapter is empty"));
        problem(form(VALID).multiPart("name", "a:b").post(ADAPTERS), 400).body("detail", containsString("colon"));
        problem(
                        form(VALID)
                                .multiPart("name", "x")
                                .multiPart("files", "../../evil", new byte[1])
                                .post(ADAPTERS),
                        400)
                .body("detail", containsString("has no place in an adapter"));
        problem(given().multiPart("name", "x").post(ADAPTERS), 422)
                .body("detail", containsString("the folder has no adapter_config.json"));
        assertThat(kept()).isEmpty();
    }

    @Test
    void makesAnAdapterOfOthers() throws Exception {
        form(VALID).multiPart("name", "part").post(ADAPTERS).then().statusCode(201);
        String ties = "{\"name\": \"mix\", \"merged_adapters\": {\"ids\": [\"part\"], \"weights\": [0.5],"
                + " \"merge_strategy\": \"ties\", \"density\": 0.5}}";
        json(ties).post(ADAPTERS + "?dry_run=true").then().statusCode(200).body("usable", equalTo(true));
        assertThat(kept()).hasSize(1);

        json(ties).post(ADAPTERS).then().statusCode(201).body("source", startsWith("upload:"));
        json(ties).post(ADAPTERS).then().statusCode(200); // the same mixture is the same content
        assertThat(kept()).hasSize(2);
        retire("part");
        given().get(ADAPTERS + "/mix/report").then().body("usable", equalTo(true));
        retire("mix");
        assertThat(kept()).isEmpty();
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
                    {'ids':[]} | 400 | merged_adapters.ids names no adapter
                    {'ids':['biology','biology']} | 400 | merged_adapters.ids names an adapter twice
                    {'ids':['biology'],'weights':[1,2]} | 400 | merged_adapters.weights has 2 entries for 1 ids
                    {'ids':['biology'],'weights':['x']} | 400 | merged_adapters.weights[0] must be a number but is "x"
                    {'ids':['biology'],'weights':[-1],'merge_strategy':'ties','density':1} | 400 | merged_adapters.weights[0] must be a number, and not negative unless merge_strategy is linear
                    {'ids':['biology'],'merge_strategy':'svd'} | 400 | merged_adapters.merge_strategy must be one of [linear, ties, dare_linear, dare_ties] but is svd
                    {'ids':['biology'],'merge_strategy':'ties'} | 400 | merged_adapters.density must be more than 0 and at most 1 with this merge_strategy
                    {'ids':['biology'],'density':2} | 400 | merged_adapters.density must be more than 0 and at most 1 with this merge_strategy
                    {'ids':['biology'],'majority':'total'} | 400 | merged_adapters.majority is not a field here
                    {'ids':['nobody']} | 404 | nobody
                    {'ids':['xlora']} | 422 | `xlora` cannot be merged: it is an X-LoRA
                    """)
    void refusesMixturesThatMeanNothing(String merged, int status, String detail) throws IOException {
        String body = "{\"name\": \"mix\", \"merged_adapters\": " + merged.replace('\'', '"') + "}";
        problem(json(body).post(ADAPTERS), status).body("detail", containsString(detail));
        problem(json(body.replace("\"name\"", "\"source\": \"x\", \"name\"")).post(ADAPTERS), 400)
                .body("detail", equalTo("merged_adapters goes without source"));
        assertThat(kept()).isEmpty();
    }

    @Test
    void keepsAnAdapterThatIsActive() {
        given().contentType("application/json")
                .body("{\"adapter_names\": [\"biology\"]}")
                .post("/activate_adapters")
                .then()
                .statusCode(200);
        problem(given().delete(ADAPTERS + "/biology"), 409).body("detail", containsString("in the current activation"));
        given().contentType("application/json")
                .body("{\"adapter_names\": []}")
                .post("/activate_adapters")
                .then()
                .statusCode(200);
    }

    @Test
    void refusesAnOrderingWhosePreloadIsNoAdapter() {
        String file =
                "{\"base_model_id\": \"fake-model\", \"preload_adapters\": [{\"name\": \"chemist\", \"adapter_model_id\": \"adapters/none\"}]}";
        problem(json(file).post("/api/v1/orderings/preloading"), 422)
                .body("findings.path", equalTo(List.of("preload_adapters[0].adapter_model_id")))
                .body("findings[0].detail", containsString("has no adapter_config.json"));
        given().get(ADAPTERS).then().body("name", not(hasItem("chemist")));
        given().get("/api/v1/orderings/preloading").then().statusCode(404);
    }

    private static RequestSpecification form(Path folder) throws IOException {
        RequestSpecification form = given();
        try (Stream<Path> files = Files.list(folder)) {
            files.filter(Files::isRegularFile).forEach(file -> form.multiPart("files", file.toFile()));
        }
        return form;
    }

    private static RequestSpecification json(String body) {
        return given().contentType("application/json").body(body);
    }

    private static ValidatableResponse problem(Response answer, int status) {
        return answer.then().statusCode(status).contentType("application/problem+json");
    }
}
