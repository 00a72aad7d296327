package dev.lory;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;

/** A service with the demo model, and what talks to it; JSON may have single quotes. */
final class LoryClient implements AutoCloseable {
    private final LoryProcess lory;
    private final HttpClient client = HttpClient.newHttpClient();

    /** @param folder for data and log */
    LoryClient(Path folder) throws Exception {
        lory = LoryProcess.serve(folder.resolve("data"), folder.resolve("log"));
    }

    HttpResponse<String> post(String path, String body) throws Exception {
        return client.send(
                HttpRequest.newBuilder(URI.create(lory.url() + path))
                        .header("Content-Type", "application/json")
                        .POST(HttpRequest.BodyPublishers.ofString(body.replace('\'', '"')))
                        .build(),
                BodyHandlers.ofString());
    }

    /** @param expected what {@code If-Match} names; empty = there is no such header */
    HttpResponse<String> patch(String path, String expected, String body) throws Exception {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(lory.url() + path))
                .header("Content-Type", "application/merge-patch+json")
                .method("PATCH", HttpRequest.BodyPublishers.ofString(body.replace('\'', '"')));
        if (!expected.isEmpty()) {
            request.header("If-Match", expected);
        }
        return client.send(request.build(), BodyHandlers.ofString());
    }

    HttpResponse<String> delete(String path) throws Exception {
        return client.send(
                HttpRequest.newBuilder(URI.create(lory.url() + path)).DELETE().build(), BodyHandlers.ofString());
    }

    String get(String path) throws Exception {
        return client.send(HttpRequest.newBuilder(URI.create(lory.url() + path)).build(), BodyHandlers.ofString())
                .body();
    }

    @Override
    public void close() throws Exception {
        lory.close();
        client.close();
    }
}
