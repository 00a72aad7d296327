package dev.lory.xlora;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.lory.Folders;
import dev.lory.adapter.AdapterPolicy;
import dev.lory.error.ErrorCode;
import dev.lory.error.Finding;
import dev.lory.error.ServiceException;
import dev.lory.kernel.Backend;
import dev.lory.kernel.ReferenceBackend;
import dev.lory.model.Decoder;
import dev.lory.model.Decoders;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Packages as they must not be, each with what must be said of it. */
final class XLoraPackageTest {
    private static final Path FIXTURES = Path.of("src/test/resources/fixtures/xlora");
    private static final Map<String, String> SAID = Map.ofEntries(
            Map.entry("classifier-missing", "there is no xlora_classifier.safetensors"),
            Map.entry("bias-missing", "last.bias is missing while use_bias is true"),
            Map.entry("last-wrong-rows", "last.weight has shape [29, 64], wanted is [30, 64]"),
            Map.entry("last-wrong-columns", "last.weight has shape ["),
            Map.entry("extra-tensor", "inner.0.weight has no use at xlora_depth 1"),
            Map.entry("nan", "last.weight holds NaN"),
            Map.entry("hidden-size", "hidden_size is 128, the base's is 64"),
            Map.entry("hidden-size-missing", "has no hidden_size"),
            Map.entry("depth-0", "xlora_depth is 0 but must be at least 1"),
            Map.entry("top-k-4", "top_k_lora is 4, there are 3 adapters"),
            Map.entry("top-k-0", "top_k_lora is 0 but must be at least 1"),
            Map.entry("temperature-0", "softmax_temperature is 0.0 but must be above 0"),
            Map.entry("base-mismatch", "the ordering file is for `"),
            Map.entry("adapter-folder-missing", "adapter biology has no folder"),
            Map.entry("order-unknown", "order names chemistry, the package has ["),
            Map.entry("order-short", "order has 2 names, the classifier 3 classes"),
            Map.entry("order-duplicate", "math"),
            Map.entry("layers-gap", "0"),
            Map.entry("layers-missing-site", "missing: [0]"),
            Map.entry("layers-missing", "layers is required: scalings are layerwise"),
            Map.entry("layers-lm-head", "Got an adapter `lm_head` layer, this is unsupported with X-LoRA."),
            Map.entry("dora-adapter", "X-LoRA does not support adapters with DoRA"),
            Map.entry("targets-differ", "Expected all target modules to be the same."),
            Map.entry("config-not-json", "xlora_config.json"));

    @TempDir
    Path temporary;

    private final Backend backend = new ReferenceBackend();
    private final Decoder base = Decoders.load(FIXTURES.resolve("bases/llama"), backend);

    @AfterEach
    void close() {
        backend.close();
    }

    static Stream<Arguments> invalid() throws IOException {
        JsonNode index = new ObjectMapper()
                .readTree(FIXTURES.resolve("invalid/index.json").toFile());
        return index.properties().stream()
                .map(entry -> Arguments.of(entry.getKey(), entry.getValue().asText()));
    }

    @ParameterizedTest(name = "{0}: {1}")
    @MethodSource("invalid")
    void saysWhatIsWrong(String name, String why) {
        XLoraPackage read = read(FIXTURES.resolve("invalid").resolve(name).resolve("package"));
        ServiceException refused = refused(read);

        assertThat(refused.code()).as(why).isEqualTo(ErrorCode.INVALID_ADAPTER);
        assertThat(SAID).as("what must be said of it").containsKey(name);
        assertThat(read.findings())
                .extracting(Finding::detail)
                .anyMatch(detail -> detail.contains(SAID.getOrDefault(name, "?")));
    }

    private XLoraPackage read(Path folder) {
        return new XLoraPackage(folder, AdapterPolicy.DEFAULT, XLoraPolicy.DEFAULT);
    }

    private ServiceException refused(XLoraPackage read) {
        return catchThrowableOfType(ServiceException.class, () -> read.load(base, new ClassifierMemory(backend)));
    }

    @Test
    void findsEverythingAtOnce() throws IOException {
        Path folder = copy("llama-paper");
        edit(folder.resolve("package/xlora_config.json"), "\"hidden_size\": 64", "\"hidden_size\": 65");
        edit(folder.resolve("ordering.json"), "\"biology\"", "\"chemistry\"");
        edit(folder.resolve("package/adapters/math/adapter_config.json"), "\"r\": 4", "\"r\": 5");
        Files.delete(folder.resolve("package/xlora_classifier.safetensors"));

        XLoraPackage read = read(folder.resolve("package"));
        refused(read);

        assertThat(String.join(
                        "\n", read.findings().stream().map(Finding::detail).toList()))
                .contains(
                        "hidden_size is 65",
                        "names chemistry",
                        "adapter chemistry has no folder",
                        "lora_A",
                        "there is no xlora_classifier");
    }

    @Test
    void namesNoFolderBeyondItsNeighbours() throws IOException {
        Path folder = copy("llama-paper");
        Path math = folder.resolve("package/adapters/math");
        Path away = Files.createDirectories(temporary.resolve("away"));
        try (Stream<Path> files = Files.list(math)) {
            for (Path file : files.toList()) {
                Files.move(file, away.resolve(file.getFileName()));
            }
        }
        Files.delete(math);
        edit(folder.resolve("package/xlora_config.json"), "adapters/math", "../../away");

        XLoraPackage read = read(folder.resolve("package"));
        refused(read);

        assertThat(read.findings())
                .extracting(Finding::detail)
                .anyMatch(detail -> detail.contains("adapter math has no folder"));
    }

    @Test
    void theDigestIsOfEverything() throws IOException {
        List<String> digests = Stream.of("llama-paper", "llama-temperature")
                .map(name -> read(FIXTURES.resolve(name).resolve("package")).load(base, new ClassifierMemory(backend)))
                .map(XLoraWeights::digest)
                .toList();
        Path folder = copy("llama-paper");
        assertThat(load(folder)).isEqualTo(digests.getFirst()).isNotEqualTo(digests.getLast());
        edit(folder.resolve("ordering.json"), "[\"math\", \"reasoning\"", "[\"reasoning\", \"math\"");
        assertThat(load(folder)).isNotEqualTo(digests.getFirst());
    }

    private String load(Path folder) {
        return read(folder.resolve("package"))
                .load(base, new ClassifierMemory(backend))
                .digest();
    }

    private Path copy(String name) throws IOException {
        return Folders.copy(FIXTURES.resolve(name), temporary.resolve("copies").resolve(name));
    }

    private static void edit(Path file, String from, String to) throws IOException {
        String text = Files.readString(file);
        assertThat(text).contains(from);
        Files.writeString(file, text.replace(from, to));
    }
}
