package dev.lory.api;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lory.database.DatabaseResource;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.restassured.RestAssured;
import java.io.IOException;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

@QuarkusTest
@WithTestResource(DatabaseResource.class)
class BodyLimitTest {
    @Test
    void refusesALongBodyByItsLengthInTheEnvelopeOfItsPath() throws IOException {
        String detail = "the body has 70000000 bytes and may have at most 67108864";
        assertThat(answer("/v1/completions")).contains(" 413 ", "\"error\":{\"message\":\"" + detail, "too_large");
        assertThat(answer("/api/v1/orderings/o"))
                .contains(" 413 ", "application/problem+json", "\"detail\":\"" + detail);
    }

    /** All that comes back, until the service closes the connection. */
    private String answer(String path) throws IOException {
        try (Socket socket = new Socket("localhost", RestAssured.port)) {
            String head = "POST " + path + " HTTP/1.1\r\nHost: lory\r\nContent-Length: 70000000\r\n\r\n";
            socket.getOutputStream().write(head.getBytes(StandardCharsets.US_ASCII));
            socket.setSoTimeout(20_000);
            return new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        }
    }
}
