package dev.lory.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;

class LoryTest {
    @TempDir
    Path folder;

    private record Outcome(int code, String out, String err) {}

    private static Outcome run(String... arguments) {
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        CommandLine line = Lory.commandLine();
        line.setOut(new PrintWriter(out)).setErr(new PrintWriter(err));
        return new Outcome(line.execute(arguments), out.toString(), err.toString());
    }

    private static void assertRefused(Outcome outcome, String... parts) {
        assertThat(outcome.code()).isEqualTo(2);
        assertThat(outcome.out()).isEmpty();
        assertThat(outcome.err().lines())
                .singleElement()
                .asString()
                .startsWith("lory: ")
                .contains(parts);
    }

    @Test
    void helpNamesEveryCommand() {
        Outcome help = run("--help");

        assertThat(help.code()).isZero();
        assertThat(help.out()).contains("serve", "run-batch", "bench", "tokenize", "template", "LORY_MAX_NUM_SEQS");
    }

    @Test
    void versionNamesTheJava() {
        assertThat(run("--version").out()).startsWith("lory ").contains("Java " + Runtime.version());
    }

    @ParameterizedTest
    @ValueSource(strings = {"serve", "bench", "run-batch"})
    void everyCommandExplainsItsFlags(String command) {
        assertThat(run(command, "--help").out()).contains("--model", "--adapter", "--threads", "--kv-cache");
    }

    @ParameterizedTest
    @ValueSource(strings = {"serve", "bench", "run-batch", "tokenize"})
    void unknownFlagIsNamed(String command) {
        assertRefused(run(command, "--no-such-flag"), "--no-such-flag");
    }

    @Test
    void unknownCommandIsNamed() {
        assertRefused(run("sreve"), "sreve");
    }

    @ParameterizedTest
    @CsvSource({
        "--model, does-not-exist.gguf",
        "--tokenizer, does-not-exist.json",
        "--chat-template, does-not-exist.jinja",
        "--order, does-not-exist-ordering.json",
        "--adapters, does-not-exist"
    })
    void missingPathIsNamedWithItsFlag(String flag, String path) {
        assertRefused(serve(flag, path), flag, path, "does not exist");
    }

    @ParameterizedTest
    @CsvSource({
        "--adapter, math, takes NAME=DIR but is 'math'",
        "--adapter, math=does-not-exist, does-not-exist does not exist",
        "--backend, cuda, --backend must be auto or cpu but is 'cuda'",
        "--threads, -1, --threads must be at least 0 but is -1",
        "--threads, many, many",
        "--max-num-seqs, 0, --max-num-seqs must be at least 1 but is 0",
        "--kv-cache, 12 bananas, is not a number of bytes",
        "--max-logprobs, -2, --max-logprobs must be at least 0",
        "--port, 70000, --port must be between 0 and 65535 but is 70000",
        "--host, 256.1.1.1, 256.1.1.1",
        "--db-url, mysql://db, jdbc:postgresql: but is `mysql://db`"
    })
    void valueThatCannotBeUsedIsExplained(String flag, String value, String sentence) {
        assertRefused(serve(flag, value), sentence);
    }

    @Test
    void databaseThatDoesNotAnswerIsNamed() throws IOException {
        int closed;
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            closed = socket.getLocalPort();
        }
        String url = "jdbc:postgresql://127.0.0.1:" + closed + "/lory";

        assertRefused(serve("--db-url", url, "--db-password", "secret"), url, "nothing answers there");
    }

    @Test
    void portInUseIsRefusedBeforeAnythingStarts() throws IOException {
        try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            String port = Integer.toString(taken.getLocalPort());

            assertRefused(run("serve", "--model", model(), "--port", port), "127.0.0.1:" + port, "--port");
        }
    }

    @Test
    void dataFolderThatIsAFileIsRefused() throws IOException {
        Path file = Files.createFile(folder.resolve("data"));

        assertRefused(serve("--data", file.toString()), "--data " + file, "is not a folder");
    }

    @ParameterizedTest
    @CsvSource({"--prompt, 0", "--gen, 0", "--reps, -1", "--batch, 0"})
    void benchNeedsSomethingToMeasure(String flag, String value) throws IOException {
        assertRefused(run("bench", "--model", model(), flag, value), flag + " must be at least 1 but is " + value);
    }

    @Test
    void benchDistributionNeedsAdapters() throws IOException {
        assertRefused(run("bench", "--model", model(), "--distribution", "skewed"), "--distribution needs");
    }

    @Test
    void benchDistributionIsOneOfSix() throws IOException {
        assertRefused(
                run("bench", "--model", model(), "--adapter", "a=" + folder, "--distribution", "normal"), "'normal'");
    }

    private Outcome serve(String... flags) {
        try {
            List<String> all = new ArrayList<>(List.of("serve", "--port", "0"));
            if (!flags[0].equals("--model")) {
                all.addAll(List.of("--model", model()));
            }
            if (flags[0].equals("--port")) {
                all.subList(1, 3).clear();
            }
            all.addAll(List.of(flags));
            return run(all.toArray(String[]::new));
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    /** A file that is there; nobody gets as far as reading it. */
    private String model() throws IOException {
        Path model = folder.resolve("model.gguf");
        if (!Files.exists(model)) {
            Files.createFile(model);
        }
        return model.toString();
    }
}
