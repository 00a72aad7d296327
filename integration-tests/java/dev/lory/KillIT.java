package dev.lory;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.lory.LoryProcess.Answer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What was answered survives {@code kill -9}, and nothing half-written does. */
class KillIT {
    private static final String CHAT = """
            {"model": "smollm2-135m-instruct", "adapters": ["math"], "temperature": 0, "max_tokens": 400, "ignore_eos": true,
             "messages": [{"role": "user", "content": "What is 12 + 30 + 7?"}]}""";

    @TempDir
    Path folder;

    @Test
    void orderingAndActivationSurviveAKillDuringRequests() throws Exception {
        Path data = folder.resolve("data");
        long activated;
        try (LoryProcess lory = LoryProcess.serve(data, folder.resolve("first.log"));
                ExecutorService clients = Executors.newVirtualThreadPerTaskExecutor()) {
            Path ordering = Path.of("orderings", "demo.json");
            assertThat(lory.post("/api/v1/orderings/kept", ordering).status()).isEqualTo(201);
            Answer activation = lory.post("/activate_adapters", "{\"adapter_names\":[\"math\"]}");
            assertThat(activation.status()).isEqualTo(200);
            activated = activation.body().get("revision").longValue();

            List<Future<Answer>> chats = new ArrayList<>();
            for (int i = 0; i < 4; i++) {
                chats.add(clients.submit(() -> lory.post("/v1/chat/completions", CHAT)));
            }
            Thread.sleep(500);
            lory.kill();
            assertThat(chats).allSatisfy(chat -> assertThat(chat).failsWithin(java.time.Duration.ofSeconds(30)));
        }
        try (LoryProcess again = LoryProcess.serve(data, folder.resolve("second.log"))) {
            JsonNode kept = again.get("/api/v1/orderings/kept").body();
            assertThat(kept.get("revision").intValue()).isEqualTo(1);
            assertThat(kept.at("/content/preload_adapters").size()).isEqualTo(4);

            JsonNode current = again.get("/api/v1/activations/current").body();
            assertThat(current.get("revision").longValue()).isEqualTo(activated);
            assertThat(LoryProcess.names(current.get("adapters"))).containsExactly("math");

            Answer chat = again.post("/v1/chat/completions", CHAT.replace("400", "8"));
            assertThat(chat.status()).isEqualTo(200);
            assertThat(chat.body().at("/usage/completion_tokens").intValue()).isEqualTo(8);
            assertThat(again.stop()).isIn(0, 143);
        }
    }

    @Test
    void activationThatWasAnsweredIsThereAndNoneIsHalfThere() throws Exception {
        Path data = folder.resolve("data");
        for (int round = 0; round < 3; round++) {
            AtomicLong answered = new AtomicLong();
            try (LoryProcess lory = LoryProcess.serve(data, folder.resolve("activating-" + round + ".log"));
                    ExecutorService clients = Executors.newVirtualThreadPerTaskExecutor()) {
                AtomicBoolean killed = new AtomicBoolean();
                Future<?> activating = clients.submit(() -> activateUntil(killed, lory, answered));
                while (answered.get() == 0 && !activating.isDone()) {
                    Thread.sleep(10);
                }
                Thread.sleep(150 + 70L * round);
                killed.set(true);
                lory.kill();
                activating.get();
            }
            try (LoryProcess again = LoryProcess.serve(data, folder.resolve("restarted-" + round + ".log"))) {
                JsonNode current = again.get("/api/v1/activations/current").body();
                // The last one may have been committed without its answer having come through.
                assertThat(current.get("revision").longValue()).isBetween(answered.get(), answered.get() + 1);
                assertThat(LoryProcess.names(current.get("adapters")))
                        .isIn(List.of("math"), List.of("reasoning", "biology"));
                again.stop();
            }
        }
    }

    @Test
    void databaseOfTheServiceEndsWithAKilledService() throws Exception {
        Path data = folder.resolve("data");
        try (LoryProcess lory = LoryProcess.serve(data, folder.resolve("lory.log"))) {
            long postgres =
                    Long.parseLong(Files.readAllLines(data.resolve("pgdata").resolve("postmaster.pid"))
                            .getFirst()
                            .strip());
            assertThat(ProcessHandle.of(postgres)).isPresent();
            lory.kill();
            long end = System.nanoTime() + 20_000_000_000L;
            while (Files.exists(data.resolve("pgdata").resolve("postmaster.pid")) && System.nanoTime() < end) {
                Thread.sleep(50);
            }
            assertThat(data.resolve("pgdata").resolve("postmaster.pid")).doesNotExist();
        }
    }

    private static void activateUntil(AtomicBoolean killed, LoryProcess lory, AtomicLong answered) {
        for (int i = 0; !killed.get(); i++) {
            String names = i % 2 == 0 ? "[\"math\"]" : "[\"reasoning\",\"biology\"]";
            try {
                Answer answer = lory.post("/activate_adapters", "{\"adapter_names\":" + names + "}");
                assertThat(answer.status()).isEqualTo(200);
                answered.set(answer.body().get("revision").longValue());
            } catch (IOException e) {
                return; // the kill came before the answer
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return;
            }
        }
    }
}
