package dev.lory.api.openai;

import com.fasterxml.jackson.databind.JsonNode;
import io.vertx.core.Future;
import io.vertx.core.http.HttpServerResponse;
import java.io.IOException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** Server-sent events, byte for byte as OpenAI's clients want them. Each write waits for the client, who therefore sets the pace. */
final class EventStream {
    private static final long WRITE_SECONDS = 60;

    private final HttpServerResponse response;

    EventStream(HttpServerResponse response) {
        this.response = response;
        response.setChunked(true)
                .putHeader("Content-Type", "text/event-stream;charset=UTF-8")
                .putHeader("Cache-Control", "no-cache")
                .putHeader("X-Accel-Buffering", "no");
    }

    /** @throws IOException the client has gone or does not read */
    void send(JsonNode event) throws IOException, InterruptedException {
        write("data: " + event + "\n\n");
    }

    /** Keeps proxies from closing a connection on which nothing happens. */
    void keepAlive() throws IOException, InterruptedException {
        write(": still working\n\n");
    }

    /** @param told whether clients wait for {@code [DONE]} */
    void done(boolean told) throws IOException, InterruptedException {
        if (told) {
            write("data: [DONE]\n\n");
        }
        await(response.end());
    }

    private void write(String text) throws IOException, InterruptedException {
        await(response.write(text));
    }

    /**
     * Waits until something has been written. The last write, too: a resource that returns before it is out loses it now and then
     * where the client has asked for the connection to be closed.
     */
    static void await(Future<Void> written) throws IOException, InterruptedException {
        try {
            written.toCompletionStage().toCompletableFuture().get(WRITE_SECONDS, TimeUnit.SECONDS);
        } catch (ExecutionException | TimeoutException | IllegalStateException e) {
            throw new IOException("the client does not read any more", e);
        }
    }
}
