package dev.lory.api;

import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.lory.registry.Rehearsal;
import dev.lory.worker.WorkerStatus;
import io.quarkus.vertx.http.HttpServer;
import io.quarkus.vertx.http.HttpServerStart;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.ObservesAsync;
import java.io.IOException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jboss.logging.Logger;

/** Asks the service what its users will, over its own port: classes that only requests load are loaded before the first user waits for them. */
@ApplicationScoped
class HttpRehearsal implements Rehearsal {
    private static final Logger LOG = Logger.getLogger(HttpRehearsal.class);
    private static final int ROUNDS = 3;
    private static final int OUTPUT_TOKENS = 8;
    private static final Duration PATIENCE = Duration.ofSeconds(30);
    private static final JsonMapper JSON = new JsonMapper();

    private final HttpServer server;
    private final ApiKeys keys;
    private final CountDownLatch listening = new CountDownLatch(1);

    HttpRehearsal(HttpServer server, ApiKeys keys) {
        this.server = server;
        this.keys = keys;
    }

    void started(@ObservesAsync HttpServerStart event) {
        listening.countDown();
    }

    @Override
    public void run(WorkerStatus status) throws InterruptedException {
        if (!listening.await(PATIENCE.toSeconds(), TimeUnit.SECONDS)) {
            LOG.warn("no rehearsal, the first requests will be slower: the service does not listen on HTTP");
            return;
        }
        // as users' clients do; the default would be HTTP/2, by other classes of the server
        try (HttpClient client =
                HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build()) {
            for (int round = 0; round < ROUNDS; round++) {
                for (boolean stream : new boolean[] {false, true}) {
                    send(client, "/v1/chat/completions", chat(status, round), stream);
                    send(client, "/v1/completions", completion(status, round), stream);
                }
            }
        } catch (IOException e) {
            LOG.warnf("no rehearsal, the first requests will be slower: %s", e.getMessage());
        }
    }

    /** What it answers does not matter; a model without a tokenizer or a template refuses a chat. */
    private void send(HttpClient client, String path, ObjectNode body, boolean stream)
            throws IOException, InterruptedException {
        body.put("stream", stream).put("max_tokens", OUTPUT_TOKENS).put("temperature", 0);
        HttpRequest request = HttpRequest.newBuilder(server.getLocalBaseUri().resolve(path))
                .timeout(PATIENCE)
                .header("Content-Type", "application/json")
                .header("Authorization", "Bearer " + keys.ownKey())
                .POST(HttpRequest.BodyPublishers.ofString(body.toString()))
                .build();
        client.send(request, BodyHandlers.discarding());
    }

    private static ObjectNode chat(WorkerStatus status, int round) {
        ObjectNode body = JSON.createObjectNode().put("model", status.model().name());
        body.putArray("messages").addObject().put("role", "user").put("content", "Rehearsal, round " + round);
        return body;
    }

    private static ObjectNode completion(WorkerStatus status, int round) {
        ObjectNode body = JSON.createObjectNode().put("model", status.model().name());
        // Rows of the vocabulary that every model has; each round another prompt, or the cache would have it.
        body.putArray("prompt").add(round).add(1).add(2).add(3);
        body.putArray("adapters");
        return body;
    }
}
