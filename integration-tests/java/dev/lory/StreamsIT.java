package dev.lory;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What shares the engine with a stream does not change it. */
class StreamsIT {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final List<String> SETS = List.of(
            "[]",
            "[\"math\"]",
            "[\"reasoning\"]",
            "[\"biology\"]",
            "[{\"name\":\"math\",\"weight\":0.5},{\"name\":\"biology\",\"weight\":0.75}]",
            "[\"math\",{\"name\":\"reasoning\",\"weight\":-0.5},{\"name\":\"biology\",\"weight\":0.25}]");

    @TempDir
    Path folder;

    @Test
    void eachOf24StreamsSaysWhatItSaysAlone() throws Exception {
        JsonNode prompts = JSON.readTree(
                        Files.readAllBytes(Path.of("integration-tests", "resources", "demo", "golden.json")))
                .get("prompts");
        try (LoryProcess lory = LoryProcess.serve(folder.resolve("data"), folder.resolve("log"));
                ExecutorService clients = Executors.newVirtualThreadPerTaskExecutor()) {
            List<List<Integer>> alone = new ArrayList<>();
            for (int i = 0; i < 24; i++) {
                alone.add(tokens(lory, request(prompts, i)));
            }
            List<Future<List<Integer>>> together = new ArrayList<>();
            for (int i = 0; i < 24; i++) {
                String request = request(prompts, i);
                together.add(clients.submit(() -> tokens(lory, request)));
            }
            for (int i = 0; i < 24; i++) {
                assertThat(together.get(i).get()).as("stream %d", i).isEqualTo(alone.get(i));
            }
        }
    }

    private static String request(JsonNode prompts, int i) throws IOException {
        String content = JSON.writeValueAsString(
                prompts.get(i % prompts.size()).get("prompt").asText());
        String sampling = i % 2 == 0 ? "\"temperature\":0" : "\"temperature\":0.8,\"top_p\":0.95,\"seed\":" + i;
        return "{\"stream\":true,\"return_token_ids\":true,\"max_tokens\":32," + sampling + ",\"adapters\":"
                + SETS.get(i % SETS.size()) + ",\"messages\":[{\"role\":\"user\",\"content\":" + content + "}]}";
    }

    /** The token ids of a stream, from its pieces. */
    private static List<Integer> tokens(LoryProcess lory, String request) throws IOException, InterruptedException {
        List<Integer> tokens = new ArrayList<>();
        for (String line : lory.stream("/v1/chat/completions", request).split("\n")) {
            if (line.startsWith("data: {")) {
                JSON.readTree(line.substring(6)).at("/choices/0/token_ids").forEach(id -> tokens.add(id.asInt()));
            }
        }
        assertThat(tokens).isNotEmpty();
        return tokens;
    }
}
