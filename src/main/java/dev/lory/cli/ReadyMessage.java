package dev.lory.cli;

import dev.lory.api.KeysConfig;
import dev.lory.registry.WorkerDirectory;
import dev.lory.worker.WorkerStatus;
import dev.lory.worker.WorkerStatus.AdapterStatus;
import io.quarkus.runtime.Quarkus;
import io.quarkus.runtime.QuarkusApplication;
import java.io.PrintStream;
import java.util.stream.Collectors;
import org.eclipse.microprofile.config.inject.ConfigProperty;

/** Runs as long as the service does; says where it is as soon as requests are let in. */
public class ReadyMessage implements QuarkusApplication {
    private static final long POLL_MILLIS = 20;
    /** Beyond these only their number is of use. */
    private static final int LISTED_ADAPTERS = 20;

    private final WorkerDirectory workers;
    private final String host;
    private final int port;
    private final boolean keyed;

    ReadyMessage(
            WorkerDirectory workers,
            @ConfigProperty(name = "quarkus.http.host") String host,
            @ConfigProperty(name = "quarkus.http.port") int port,
            KeysConfig keys) {
        this.workers = workers;
        this.host = host;
        this.port = port;
        this.keyed = keys.apiKey().isPresent() || !keys.apiKeys().isEmpty();
    }

    @Override
    public int run(String... args) {
        Thread.ofPlatform().daemon().name("ready-message").start(this::announce);
        Quarkus.waitForExit();
        return 0;
    }

    private void announce() {
        try {
            while (!workers.isReady()) {
                Thread.sleep(POLL_MILLIS);
            }
            print(System.out, workers.status());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void print(PrintStream out, WorkerStatus status) {
        String url = "http://" + (host.equals("0.0.0.0") ? "127.0.0.1" : host) + ":" + port;
        out.println();
        out.println("Lory is ready.");
        out.println("  API       " + url + "/v1");
        out.println("  docs      " + url + "/docs (OpenAPI: " + url + "/openapi)");
        out.println("  model     " + status.model().name() + ", "
                + status.model().architecture() + ", up to " + status.model().maxModelLen() + " tokens");
        out.println("  computes  " + status.backend());
        out.println("  adapters  " + adapters(status));
        out.println("Try:");
        out.println("  " + curl(url, status));
        out.println();
        out.flush();
    }

    private static String adapters(WorkerStatus status) {
        int more = status.adapters().size() - LISTED_ADAPTERS;
        String listed = status.adapters().stream()
                .limit(LISTED_ADAPTERS)
                .map(adapter -> switch (adapter.state()) {
                    case READY -> adapter.name();
                    case UNLOADED -> adapter.name() + " (unloaded)";
                    case LOADING -> adapter.name() + " (loading)";
                    case FAILED -> adapter.name() + " (failed: " + adapter.reason() + ")";
                })
                .collect(Collectors.joining(", "));
        if (listed.isEmpty()) {
            return "none";
        }
        return more > 0 ? listed + ", and " + more + " more" : listed;
    }

    private String curl(String url, WorkerStatus status) {
        boolean math = status.adapters().stream()
                .anyMatch(adapter -> adapter.name().equals("math") && adapter.state() == AdapterStatus.State.READY);
        return "curl -s " + url + "/v1/chat/completions -H 'Content-Type: application/json'"
                + (keyed ? " -H \"Authorization: Bearer $LORY_API_KEY\"" : "")
                + " -d '{\"model\":\"" + status.model().name() + "\","
                + (math ? "\"adapters\":[\"math\"]," : "")
                + "\"temperature\":0,\"max_tokens\":40,\"messages\":[{\"role\":\"user\",\"content\":"
                + "\"A shop has 35 eggs. It receives 21 and sells 8. How many eggs remain?\"}]}'";
    }
}
