package dev.lory.format;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.lory.error.ErrorCode;
import dev.lory.error.ServiceException;
import dev.lory.kernel.Backend;
import dev.lory.kernel.ReferenceBackend;
import dev.lory.model.DecoderLoader;
import dev.lory.model.arch.Architectures;
import dev.lory.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Broken and odd files: each is read, or refused with a sentence that names it; never anything else. */
final class MalformedFileTest {
    private static final Path FOLDER = Path.of("src/test/resources/fixtures/malformed");

    /** Their containers and tensors are sound: only the tokenizer can notice. */
    private static final Set<String> FOR_THE_TOKENIZER =
            Set.of("gguf/scores-too-short.gguf", "gguf/tokens-wrong-type.gguf");

    static Stream<Arguments> files() throws IOException {
        JsonNode index =
                new ObjectMapper().readTree(FOLDER.resolve("index.json").toFile());
        return StreamSupport.stream(index.spliterator(), false)
                .filter(file -> !FOR_THE_TOKENIZER.contains(file.path("path").asText()))
                .map(file -> Arguments.of(
                        file.path("path").asText(),
                        file.path("expect").asText(),
                        file.path("wrong").asText()));
    }

    @ParameterizedTest(name = "{0}: {2}")
    @MethodSource("files")
    void readsOrRefusesWithAReason(String name, String expect, String wrong) {
        String outcome = outcome(FOLDER.resolve(name));
        if (expect.equals("accept")) {
            assertThat(outcome).isEqualTo("read");
        } else if (expect.equals("reject")) {
            assertThat(outcome).as(wrong).startsWith(FOLDER.resolve(name) + ": ");
        } else {
            assertThat(outcome)
                    .satisfiesAnyOf(
                            o -> assertThat(o).isEqualTo("read"),
                            o -> assertThat(o).startsWith(FOLDER.resolve(name) + ": "));
        }
    }

    /** A file that the list forgets would not be tested. */
    @Test
    void theListHasEveryFile() throws IOException {
        JsonNode index =
                new ObjectMapper().readTree(FOLDER.resolve("index.json").toFile());
        try (Stream<Path> there = Files.walk(FOLDER)) {
            assertThat(StreamSupport.stream(index.spliterator(), false)
                            .map(file -> FOLDER.resolve(file.path("path").asText())))
                    .containsExactlyInAnyOrderElementsOf(there.filter(file -> file.startsWith(FOLDER.resolve("gguf"))
                                    || file.startsWith(FOLDER.resolve("safetensors")))
                            .filter(Files::isRegularFile)
                            .toList());
        }
    }

    /** "read" once a GGUF model was loaded, or every tensor of a safetensors file touched; otherwise the message. */
    private static String outcome(Path path) {
        try {
            if (path.toString().endsWith(".gguf")) {
                load(path);
            } else {
                touch(path);
            }
            return "read";
        } catch (ServiceException e) {
            assertThat(e.code()).isIn(ErrorCode.INVALID_MODEL, ErrorCode.UNSUPPORTED_DTYPE);
            return e.detail();
        }
    }

    private static void load(Path path) {
        try (GgufSource source = GgufSource.open(path);
                Backend backend = new ReferenceBackend()) {
            DecoderLoader.load(Architectures.spec(source.config()), source, backend, 1, 1);
        }
    }

    private static void touch(Path path) {
        try (SafetensorsSource source = SafetensorsSource.open(path)) {
            for (String name : source.names()) {
                Tensor tensor = source.tensor(name);
                if (tensor.rows() > 0 && tensor.cols() > 0) {
                    tensor.row(tensor.rows() - 1);
                }
            }
        }
    }
}
