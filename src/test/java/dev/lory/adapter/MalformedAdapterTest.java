package dev.lory.adapter;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.lory.error.ErrorCode;
import dev.lory.error.ServiceException;
import dev.lory.kernel.Backend;
import dev.lory.kernel.ReferenceBackend;
import dev.lory.model.Decoder;
import dev.lory.model.Decoders;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Broken and odd adapter folders: each is loaded, or refused with a sentence that names it; never anything else. */
final class MalformedAdapterTest {
    private static final Path MALFORMED = Path.of("src/test/resources/fixtures/malformed");

    static Stream<Arguments> folders() throws IOException {
        JsonNode index =
                new ObjectMapper().readTree(MALFORMED.resolve("peft/index.json").toFile());
        return StreamSupport.stream(index.spliterator(), false)
                .map(folder -> Arguments.of(
                        folder.path("path").asText(),
                        folder.path("expect").asText(),
                        folder.path("wrong").asText()));
    }

    @ParameterizedTest(name = "{0}: {2}")
    @MethodSource("folders")
    void loadsOrRefusesWithAReason(String name, String expect, String wrong) {
        String outcome =
                Assertions.assertTimeoutPreemptively(Duration.ofSeconds(20), () -> outcome(MALFORMED.resolve(name)));
        String refusal = MALFORMED.resolve(name).toString();
        switch (expect) {
            case "accept" -> assertThat(outcome).as(wrong).isEqualTo("loaded");
            case "reject" -> assertThat(outcome).as(wrong).startsWith(refusal);
            default ->
                assertThat(outcome)
                        .as(wrong)
                        .satisfiesAnyOf(
                                o -> assertThat(o).isEqualTo("loaded"),
                                o -> assertThat(o).startsWith(refusal));
        }
    }

    /** A folder that the list forgets would not be tested. */
    @Test
    void theListHasEveryFolder() throws IOException {
        try (Stream<Path> there = Files.list(MALFORMED.resolve("peft"))) {
            assertThat(folders().map(folder -> MALFORMED.resolve((String) folder.get()[0])))
                    .containsExactlyInAnyOrderElementsOf(
                            there.filter(Files::isDirectory).toList());
        }
    }

    /** "loaded" once the weights are on the device, or the message. */
    private static String outcome(Path folder) {
        try (Backend backend = new ReferenceBackend()) {
            Decoder decoder = Decoders.load(MALFORMED.resolve("base"), backend);
            new PeftFolder(folder, AdapterPolicy.DEFAULT).load(decoder, backend).close();
            return "loaded";
        } catch (ServiceException e) {
            assertThat(e.code()).isIn(ErrorCode.INVALID_ADAPTER, ErrorCode.UNSUPPORTED_DTYPE);
            return e.detail();
        }
    }
}
