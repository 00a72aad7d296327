package dev.lory;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the packaged program refuses at start: one sentence that names the thing, exit status 2, no stack trace. */
class CommandLineIT {
    private static final Path MODEL = Path.of("models", "smollm2-135m-instruct", "SmolLM2-135M-Instruct.Q4_1.gguf");
    private static final AtomicInteger RUNS = new AtomicInteger();

    @TempDir
    Path folder;

    private void assertRefused(List<String> parts, String... flags) throws IOException, InterruptedException {
        Path log = folder.resolve("run-" + RUNS.incrementAndGet() + ".log");
        Process process = LoryProcess.start(log, flags);
        boolean ended = process.waitFor(90, TimeUnit.SECONDS);
        process.destroyForcibly();
        String said = Files.readString(log);
        assertThat(ended)
                .as("ended by itself: %s\n%s", Arrays.toString(flags), said)
                .isTrue();
        List<String> sentences = said.lines()
                .filter(line -> !line.startsWith("WARNING: Using incubator modules"))
                .filter(line -> !line.matches("(loading|loaded) \\d.*")) // progress, on a slow machine
                .toList();
        assertThat(process.exitValue()).as(said).isEqualTo(2);
        assertThat(sentences)
                .as(said)
                .singleElement()
                .asString()
                .startsWith("lory: ")
                .contains(parts);
    }

    private String[] serve(String... flags) throws IOException {
        List<String> all = new ArrayList<>(List.of("serve"));
        all.addAll(List.of(flags));
        if (!all.contains("--port")) {
            all.addAll(List.of("--port", "" + LoryProcess.freePort()));
        }
        if (!all.contains("--data")) {
            all.addAll(List.of("--data", folder.resolve("data").toString()));
        }
        return all.toArray(String[]::new);
    }

    @Test
    void truncatedGgufIsNamed() throws Exception {
        Path broken = folder.resolve("broken.gguf");
        byte[] whole = Files.readAllBytes(MODEL);
        for (int bytes : new int[] {0, 3, 100, 200_000, whole.length / 2, whole.length - 1}) {
            Files.write(broken, Arrays.copyOf(whole, bytes));
            assertRefused(List.of("broken.gguf"), serve("--model", broken.toString()));
        }
    }

    @Test
    void truncatedSafetensorsIsNamed() throws Exception {
        Path model = Files.createDirectory(folder.resolve("half-model"));
        Files.writeString(model.resolve("config.json"), "{\"architectures\":[\"LlamaForCausalLM\"]}");
        Files.write(model.resolve("model.safetensors"), new byte[] {64, 0, 0, 0, 0, 0, 0, 0, '{'});

        assertRefused(List.of("half-model"), serve("--model", model.toString()));
    }

    @Test
    void folderWithoutAModelIsNamed() throws Exception {
        Path empty = Files.createDirectory(folder.resolve("nothing-here"));

        assertRefused(List.of("nothing-here"), serve("--model", empty.toString()));
    }

    @Test
    void megabyteOfUnclosedTemplateIsRefused() throws Exception {
        Path template = folder.resolve("hostile.jinja");
        Files.writeString(template, "{% if x %}{{ ((".repeat(70_000));

        assertRefused(List.of("hostile.jinja"), serve("--chat-template", template.toString()));
    }

    @Test
    void portInUseIsNamed() throws Exception {
        try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            String port = "" + taken.getLocalPort();

            assertRefused(List.of(":" + port), serve("--port", port));
        }
    }

    @Test
    void databaseThatRefusesThePasswordIsNamed() throws Exception {
        Path data = folder.resolve("other");
        try (LoryProcess other = LoryProcess.serve(data, folder.resolve("other.log"))) {
            List<String> pid = Files.readAllLines(data.resolve("pgdata").resolve("postmaster.pid"));
            String url = "jdbc:postgresql://127.0.0.1:" + pid.get(3).strip() + "/postgres";

            assertRefused(
                    List.of(url, "password"),
                    serve("--db-url", url, "--db-user", "lory", "--db-password", "not-the-password"));
            other.stop();
        }
    }

    @Test
    void dataFolderInUseByAnotherServiceIsNamed() throws Exception {
        Path data = folder.resolve("shared");
        try (LoryProcess first = LoryProcess.serve(data, folder.resolve("first.log"))) {
            assertRefused(List.of(data.toString(), "in use"), serve("--data", data.toString()));
            first.stop();
        }
    }

    @Test
    void orderingFileWithFindingsIsNamed() throws Exception {
        Path ordering = folder.resolve("bad-ordering.json");
        Files.writeString(
                ordering,
                "{\"preload_adapters\":[{\"name\":\"a\",\"adapter_model_id\":\"x\"},{\"name\":\"a\",\"adapter_model_id\":\"y\"}]}");

        assertRefused(List.of("bad-ordering.json", "base_model_id"), serve("--order", ordering.toString()));
    }
}
