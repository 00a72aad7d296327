package dev.lory.registry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lory.database.DatabaseResource;
import dev.lory.error.ErrorCode;
import dev.lory.error.Finding;
import dev.lory.error.ServiceException;
import dev.lory.registry.OrderingService.OnUpload;
import dev.lory.registry.OrderingService.Uploaded;
import dev.lory.worker.FakeWorker;
import dev.lory.worker.GenerationRequest.WeightedAdapter;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import jakarta.inject.Inject;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@QuarkusTest
@WithTestResource(DatabaseResource.class)
class OrderingServiceTest {
    private static final Actor CLIENT = Actor.client("tester");

    @Inject
    OrderingService orderings;

    @Inject
    ActivationService activations;

    @Inject
    AdapterService adapters;

    @Inject
    Sql sql;

    @Test
    void startsWithTheConfiguredFileAndItsAdapters() throws Exception {
        assertThat(orderings.get("demo").createdBy()).isEqualTo("configuration");
        assertThat(adapters.list()).extracting(Adapter::name).contains("math", "reasoning", "biology");
        Eventually.is(() -> adapters.get("math").digest().isEmpty(), false);
        assertThat(adapters.get("math").rank()).isEqualTo(8);
        assertThat(adapters.get("math").targetModules()).containsExactly("q_proj", "v_proj");
    }

    @Test
    void answersTheExistingRevisionForTheSameBytes() {
        byte[] first = preloading("same_a");
        Uploaded uploaded = orderings.create("idempotent", first, "first", OnUpload.STORE, CLIENT);
        Uploaded again = orderings.create("idempotent", first, "again", OnUpload.STORE, CLIENT);
        assertThat(uploaded.created()).isTrue();
        assertThat(again.created()).isFalse();
        assertThat(again.revision()).isEqualTo(orderings.get("idempotent"));
        assertThat(again.revision().comment()).isEqualTo("first");

        Uploaded second = orderings.create("idempotent", preloading("same_b"), "", OnUpload.STORE, CLIENT);
        assertThat(second.revision().revision()).isEqualTo(2);
        assertThat(orderings.revisions("idempotent"))
                .extracting(OrderingRevision::revision)
                .containsExactly(2, 1);
        assertThat(orderings.revision("idempotent", 1).sha256())
                .isEqualTo(uploaded.revision().sha256());
    }

    @Test
    void activatesTheOrderInTheSameTransactionIfAsked() {
        byte[] file = json("{'base_model_id': '%s', 'order': ['math', 'reasoning']}");
        Uploaded uploaded = orderings.create("activating", file, "", OnUpload.ACTIVATE, CLIENT);
        assertThat(uploaded.activation()).isEqualTo(activations.current().revision());
        assertThat(activations.current().cause()).isEqualTo("ORDER");
        assertThat(activations.current().adapters())
                .containsExactly(new WeightedAdapter("math", 1), new WeightedAdapter("reasoning", 1));
    }

    @Test
    void keepsNothingOfAFileThatNamesAnAdapterWhichIsNowhere() {
        byte[] file = json("{'base_model_id': '%s', 'order': ['chemistry'],"
                + " 'preload_adapters': [{'name': 'half', 'adapter_model_id': 'adapters/math'}]}");
        assertInvalid(file, "order[0]", "no adapter `chemistry`");
        assertThatThrownBy(() -> adapters.get("half")).hasMessageContaining("`half`");
        assertThatThrownBy(() -> orderings.get("invalid")).hasMessageContaining("`invalid`");
    }

    @Test
    void tellsEveryLayerThatTheModelDoesNotHave() {
        assertInvalid(
                json(
                        "{'base_model_id': '%s', 'layers': {'model.layers.0.mlp.c_fc': 0, 'model.layers.9.self_attn.q_proj': 1}}"),
                "layers[\"model.layers.0.mlp.c_fc\"]",
                "expected it to end with one of [\"self_attn.q_proj\"");
    }

    @Test
    void warnsOfAnotherBaseAndTakesTheFile() {
        byte[] file = "{\"base_model_id\": \"somebody/else\"}".getBytes(StandardCharsets.UTF_8);
        assertThat(orderings
                        .create("other-base", file, "", OnUpload.STORE, CLIENT)
                        .warnings())
                .singleElement()
                .satisfies(warning -> {
                    assertThat(warning.severity()).isEqualTo(Finding.Severity.WARNING);
                    assertThat(warning.detail()).contains("somebody/else", FakeWorker.MODEL);
                });
    }

    @ParameterizedTest
    @ValueSource(strings = {"../../secrets", "/etc", "adapters/../../x"})
    void refusesAClientsSourceOutsideTheRoot(String source) {
        byte[] file = json("{'base_model_id': '%s', 'preload_adapters': [{'name': 'escape', 'adapter_model_id': '"
                + source + "'}]}");
        assertInvalid(file, "preload_adapters[0].adapter_model_id", "outside the adapters root");
    }

    @Test
    void refusesALinkOutOfTheRoot(@TempDir Path outside) throws Exception {
        Path link = Path.of("models", "test-link-out");
        Files.deleteIfExists(link);
        Files.createSymbolicLink(link, outside);
        try {
            assertThatThrownBy(() -> adapters.register("linked", "test-link-out", CLIENT))
                    .hasMessageContaining("outside the adapters root");
        } finally {
            Files.delete(link);
        }
    }

    @Test
    void refusesAnUploadWhoseFilesWereDeletedMeanwhile() {
        String source = "upload:" + "0".repeat(64);
        assertThatThrownBy(() -> adapters.register("late", source, CLIENT))
                .isInstanceOfSatisfying(
                        ServiceException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.CONFLICT))
                .hasMessageContaining("`late` were deleted");
        assertThatThrownBy(() -> adapters.get("late")).hasMessageContaining("`late`");
    }

    @Test
    void refusesAnotherFolderForANameFromAClientAndTakesItFromTheOperator() {
        adapters.register("moved", "adapters/here", CLIENT);
        assertThatThrownBy(() -> adapters.register("moved", "adapters/there", CLIENT))
                .isInstanceOfSatisfying(ServiceException.class, e -> {
                    assertThat(e.code()).isEqualTo(ErrorCode.CONFLICT);
                    assertThat(e.detail()).contains("adapters/here", "adapters/there");
                });
        assertThat(adapters.register("moved", "adapters/there", Actor.CONFIGURATION)
                        .adapter()
                        .source())
                .isEqualTo("adapters/there");
    }

    @ParameterizedTest
    @CsvSource({"ordering_revision, comment", "adapter_transition, reason", "activation, actor", "audit, actor"})
    void refusesToChangeHistory(String table, String column) {
        for (String statement : List.of(
                "delete from " + table,
                "update " + table + " set " + column + " = 'forged'",
                "truncate " + table + " cascade")) {
            assertThatThrownBy(() -> sql.run(statement)).hasMessageContaining("is insert-only");
        }
    }

    @Test
    void activatesTheOrderOfAStartFileOnlyWhenItIsNew() {
        byte[] file = json("{'base_model_id': '%s', 'order': ['biology']}");
        assertThat(orderings
                        .create("start", file, "", OnUpload.ACTIVATE_IF_NEW, Actor.CONFIGURATION)
                        .activation())
                .isEqualTo(activations.current().revision());
        assertThat(orderings
                        .create("start", file, "", OnUpload.ACTIVATE_IF_NEW, Actor.CONFIGURATION)
                        .activation())
                .isZero();
    }

    @Test
    void registersTheAdaptersThatTheConfigurationNames() {
        assertThat(adapters.get("configured").source())
                .isEqualTo(Path.of("models/adapters/math").toAbsolutePath().toString());
    }

    private void assertInvalid(byte[] file, String path, String words) {
        assertThatThrownBy(() -> orderings.create("invalid", file, "", OnUpload.STORE, CLIENT))
                .isInstanceOfSatisfying(ServiceException.class, e -> {
                    assertThat(e.code()).isEqualTo(ErrorCode.INVALID_ORDERING);
                    assertThat(String.valueOf(e.members().get("findings"))).contains(path, words);
                });
    }

    private static byte[] preloading(String adapter) {
        return json("{'base_model_id': '%s', 'preload_adapters': [{'name': '" + adapter
                + "', 'adapter_model_id': 'adapters/math'}]}");
    }

    private static byte[] json(String template) {
        return template.formatted(FakeWorker.MODEL).replace('\'', '"').getBytes(StandardCharsets.UTF_8);
    }
}
