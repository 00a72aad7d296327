package dev.lory;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** The packaged program in a process of its own, as a user starts it, and what a test asks of it over HTTP. */
final class LoryProcess implements AutoCloseable {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Duration PATIENCE = Duration.ofSeconds(120);

    private final Process process;
    private final Path log;
    private final int port;
    private final HttpClient client = HttpClient.newBuilder()
            .connectTimeout(Duration.ofSeconds(5))
            .version(HttpClient.Version.HTTP_1_1)
            .build();

    private LoryProcess(Process process, Path log, int port) {
        this.process = process;
        this.log = log;
        this.port = port;
    }

    /** What came back. */
    record Answer(int status, JsonNode body) {}

    /** Starts {@code serve} on a data folder and waits until it is ready. */
    static LoryProcess serve(Path data, Path log, String... flags) throws IOException, InterruptedException {
        int port = freePort();
        List<String> all = new ArrayList<>(List.of("serve", "--port", "" + port, "--data", data.toString()));
        all.addAll(Arrays.asList(flags));
        LoryProcess started = new LoryProcess(start(log, all.toArray(String[]::new)), log, port);
        try {
            started.awaitReady();
        } catch (AssertionError | InterruptedException e) {
            started.close();
            throw e;
        }
        return started;
    }

    /** Starts any command; both its outputs go to the log. */
    static Process start(Path log, String... arguments) throws IOException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--add-modules=jdk.incubator.vector",
                "--enable-native-access=ALL-UNNAMED",
                "-Xmx512m",
                "-Dlory.home=" + Path.of("").toAbsolutePath(),
                "-jar",
                Path.of("target", "quarkus-app", "quarkus-run.jar").toString()));
        command.addAll(List.of(arguments));
        return new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()))
                .start();
    }

    static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }

    /** Where it listens. */
    String url() {
        return "http://127.0.0.1:" + port;
    }

    /** The value of a metric that has one sample. */
    double metric(String name) throws IOException, InterruptedException {
        String all = client.send(request("/metrics").GET().build(), BodyHandlers.ofString())
                .body();
        return all.lines()
                .filter(line -> line.startsWith(name + " ") || line.startsWith(name + "{"))
                .mapToDouble(line -> Double.parseDouble(line.substring(line.lastIndexOf(' ') + 1)))
                .findFirst()
                .orElseThrow(() -> new AssertionError("no metric " + name));
    }

    /** The names of adapters in an answer. */
    static List<String> names(JsonNode adapters) {
        List<String> names = new ArrayList<>();
        adapters.forEach(adapter -> names.add(adapter.get("name").textValue()));
        return names;
    }

    Answer get(String path) throws IOException, InterruptedException {
        return send(request(path).GET().build());
    }

    Answer post(String path, String body) throws IOException, InterruptedException {
        return send(request(path)
                .header("Content-Type", "application/json")
                .POST(BodyPublishers.ofString(body))
                .build());
    }

    Answer post(String path, Path body) throws IOException, InterruptedException {
        return post(path, Files.readString(body));
    }

    /** The whole of a stream, as it came. */
    String stream(String path, String body) throws IOException, InterruptedException {
        HttpRequest request = request(path)
                .header("Content-Type", "application/json")
                .POST(BodyPublishers.ofString(body))
                .build();
        HttpResponse<String> response = client.send(request, BodyHandlers.ofString());
        assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
        return response.body();
    }

    /** Ends the process at once, as a crash would; nothing in it gets to run. */
    void kill() throws InterruptedException {
        process.destroyForcibly();
        assertThat(process.waitFor(30, TimeUnit.SECONDS)).as("killed").isTrue();
    }

    /** Ends the process as a user would, and answers its exit status. */
    int stop() throws InterruptedException {
        process.destroy();
        assertThat(process.waitFor(60, TimeUnit.SECONDS)).as("ended").isTrue();
        return process.exitValue();
    }

    String log() throws IOException {
        return Files.readString(log);
    }

    /** Ends the process if it still runs, its database with it: what is left of that would still write to its folder. */
    @Override
    public void close() {
        process.destroy();
        try {
            if (!process.waitFor(60, TimeUnit.SECONDS)) {
                process.destroyForcibly();
            }
        } catch (InterruptedException e) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
        }
        client.close();
    }

    private void awaitReady() throws IOException, InterruptedException {
        long end = System.nanoTime() + PATIENCE.toNanos();
        while (System.nanoTime() < end) {
            assertThat(process.isAlive()).as(() -> "alive, log:\n" + quietLog()).isTrue();
            if (isReady()) {
                return;
            }
            Thread.sleep(50);
        }
        throw new AssertionError("not ready after " + PATIENCE + ", log:\n" + quietLog());
    }

    private boolean isReady() throws InterruptedException {
        try {
            return get("/q/health/ready").status() == 200;
        } catch (IOException e) {
            return false; // nothing listens yet
        }
    }

    private String quietLog() {
        try {
            return log();
        } catch (IOException e) {
            return e.toString();
        }
    }

    private HttpRequest.Builder request(String path) {
        return HttpRequest.newBuilder(URI.create(url() + path)).timeout(PATIENCE);
    }

    private Answer send(HttpRequest request) throws IOException, InterruptedException {
        HttpResponse<String> response = client.send(request, BodyHandlers.ofString());
        return new Answer(response.statusCode(), JSON.readTree(response.body()));
    }
}
