package dev.lory.api;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lory.database.DatabaseResource;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.restassured.RestAssured;
import java.io.IOException;
import java.io.OutputStream;
import java.net.Socket;
import java.net.SocketException;
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

    @Test
    void letsAdaptersBeLonger() throws IOException {
        assertThat(answer("/api/v1/adapters")).contains(" 413 ");
        assertThat(upload(10_000_000_000L))
                .contains(" 413 ", "the body has 10000000000 bytes and may have at most 4297064448");
    }

    @Test
    void countsABodyThatComesInChunks() throws IOException {
        try (Socket socket = new Socket("localhost", RestAssured.port)) {
            String head = "POST /api/v1/orderings/o HTTP/1.1\r\nHost: lory\r\nTransfer-Encoding: chunked\r\n\r\n";
            OutputStream out = socket.getOutputStream();
            out.write(head.getBytes(StandardCharsets.US_ASCII));
            socket.setSoTimeout(20_000);
            byte[] chunk = ("100000\r\n" + " ".repeat(0x100000) + "\r\n").getBytes(StandardCharsets.US_ASCII);
            try {
                for (int sent = 0; sent < 80; sent++) {
                    out.write(chunk);
                }
            } catch (IOException e) {
                assertThat(e).as("it may hang up at the limit").isInstanceOf(SocketException.class);
                return;
            }
            byte[] answer = socket.getInputStream().readNBytes(12);
            assertThat(new String(answer, StandardCharsets.US_ASCII)).isEqualTo("HTTP/1.1 413");
        }
    }

    private String upload(long bytes) throws IOException {
        try (Socket socket = new Socket("localhost", RestAssured.port)) {
            String head = "POST /api/v1/adapters HTTP/1.1\r\nHost: lory\r\nContent-Length: " + bytes
                    + "\r\nContent-Type: multipart/form-data; boundary=x\r\n\r\n";
            socket.getOutputStream().write(head.getBytes(StandardCharsets.US_ASCII));
            socket.setSoTimeout(20_000);
            return new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        }
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
