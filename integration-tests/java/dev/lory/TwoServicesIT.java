package dev.lory;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.lory.LoryProcess.Answer;
import dev.lory.database.EmbeddedDatabase;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Two services on one PostgreSQL: what one is told is effective on the other within three seconds, whichever of them is killed. */
class TwoServicesIT {
    private static final long WITHIN_NANOS = Duration.ofSeconds(3).toNanos();
    private static final String CHAT = """
            {"model": "smollm2-135m-instruct", "temperature": 0, "max_tokens": 1,
             "messages": [{"role": "user", "content": "What is 12 + 30 + 7?"}]}""";

    @TempDir
    Path folder;

    private EmbeddedDatabase database;
    private EmbeddedDatabase.Connection connection;

    @BeforeEach
    void startDatabase() {
        database = new EmbeddedDatabase(folder.resolve("database"));
        connection = database.start();
    }

    @AfterEach
    void stopDatabase() {
        database.close();
    }

    private LoryProcess serve(String name) throws Exception {
        return LoryProcess.serve(
                folder.resolve(name),
                folder.resolve(name + ".log"),
                "--db-url",
                connection.jdbcUrl(),
                "--db-user",
                connection.user(),
                "--db-password",
                connection.password());
    }

    @Test
    void agreeOnActivationAndAdaptersAlsoAfterAKill() throws Exception {
        try (ExecutorService clients = Executors.newVirtualThreadPerTaskExecutor();
                LoryProcess second = serve("second")) {
            try (LoryProcess first = serve("first")) {
                activate(first, "math");
                within("second uses math", () -> used(second).equals(List.of("math")));
                activate(second, "biology");
                within("first uses biology", () -> used(first).equals(List.of("biology")));

                assertThat(first.post("/api/v1/adapters/reasoning/unload", "").status())
                        .isEqualTo(200);
                within(
                        "second has unloaded it",
                        () -> asked(second, "reasoning").status() == 404);
                assertThat(second.post("/api/v1/adapters/reasoning/load", "").status())
                        .isEqualTo(202);
                within("first has loaded it", () -> asked(first, "reasoning").status() == 200);

                Future<?> activating = clients.submit(() -> activateUntilKilled(first));
                Thread.sleep(300);
                first.kill();
                activating.get();
            }
            JsonNode current = second.get("/api/v1/activations/current").body();
            within(
                    "second uses the last activation",
                    () -> used(second).equals(LoryProcess.names(current.get("adapters"))));
            activate(second, "reasoning");
            try (LoryProcess again = serve("first")) {
                assertThat(used(again)).containsExactly("reasoning");
                activate(again, "math");
                within("second follows", () -> used(second).equals(List.of("math")));
            }
        }
    }

    private static void activate(LoryProcess lory, String adapter) throws IOException, InterruptedException {
        Answer answer = lory.post("/activate_adapters", "{\"adapter_names\":[\"" + adapter + "\"]}");
        assertThat(answer.status()).as("%s", answer.body()).isEqualTo(200);
    }

    private static void activateUntilKilled(LoryProcess lory) {
        try {
            for (int i = 0; ; i++) {
                activate(lory, i % 2 == 0 ? "math" : "biology");
            }
        } catch (IOException e) {
            return; // killed
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** What a chat that names no adapter runs with. */
    private static List<String> used(LoryProcess lory) throws IOException, InterruptedException {
        Answer chat = lory.post("/v1/chat/completions", CHAT);
        assertThat(chat.status()).as("%s", chat.body()).isEqualTo(200);
        return LoryProcess.names(chat.body().at("/usage/adapter_details"));
    }

    private static Answer asked(LoryProcess lory, String adapter) throws IOException, InterruptedException {
        return lory.post("/v1/chat/completions", CHAT.replace("smollm2-135m-instruct", adapter));
    }

    private static void within(String what, Callable<Boolean> happened) throws Exception {
        long end = System.nanoTime() + WITHIN_NANOS;
        while (!happened.call()) {
            assertThat(System.nanoTime()).as(what + ", within 3 s").isLessThan(end);
            Thread.sleep(20);
        }
    }
}
