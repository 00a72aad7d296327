package dev.lory.cli;

import static dev.lory.error.ErrorCode.INVALID_CONFIGURATION;

import dev.lory.error.ServiceException;
import dev.lory.ordering.Ordering;
import dev.lory.ordering.OrderingFile;
import dev.lory.ordering.OrderingValidator;
import dev.lory.worker.AdapterKind;
import dev.lory.worker.Worker;
import dev.lory.worker.WorkerOptions;
import dev.lory.worker.WorkerStatus.ModelInfo;
import dev.lory.xlora.XLoraPackage;
import io.quarkus.runtime.LaunchMode;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.UnknownHostException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code lory serve}: checks everything that can be checked, loads the model, then starts database and Quarkus. */
@Command(
        name = "serve",
        description = "Serves the OpenAI API; without flags the demo model, its adapters and a database of its own.",
        mixinStandardHelpOptions = true)
final class ServeCommand implements Callable<Integer> {
    private static final int LAST_PORT = 65535;
    /** For what an upload has besides the adapter's weights. */
    private static final long FORM_BYTES = 4 << 20;

    @Mixin
    private WorkerFlags workerFlags = new WorkerFlags();

    @Mixin
    private AdapterFlags adapterFlags = new AdapterFlags();

    @Option(
            names = {"-o", "--order"},
            paramLabel = "FILE",
            description =
                    "An ordering file to start with, or that of X-LoRAs that bring none; default with the demo model:"
                            + " orderings/demo.json.")
    private @Nullable Path order;

    @Option(
            names = "--max-logprobs",
            paramLabel = "N",
            description = "A request may ask for; -1 = the whole vocabulary; default: ${DEFAULT-VALUE}.")
    private int maxLogprobs = 20;

    @Option(names = "--host", paramLabel = "ADDRESS", description = "To listen on; default: 127.0.0.1.")
    private @Nullable String host;

    @Option(names = "--port", paramLabel = "N", description = "To listen on; 0 = any free one; default: 8080.")
    private @Nullable Integer port;

    @Option(names = "--data", paramLabel = "DIR", description = "For the database; default: .lory in the checkout.")
    private @Nullable Path data;

    @Option(
            names = "--api-key",
            paramLabel = "KEY",
            description = "What clients must send; default: none is asked for.")
    private @Nullable String apiKey;

    @Option(
            names = "--admin-key",
            paramLabel = "KEY",
            description = "What the admin API asks for; default: the API key.")
    private @Nullable String adminKey;

    @Mixin
    private DatabaseFlags databaseFlags = new DatabaseFlags();

    @Override
    public Integer call() {
        if (order != null && isForXLoras()) {
            workerFlags.orderXLorasBy(order);
        }
        WorkerOptions options = workerFlags.options();
        Map<String, String> properties = new LinkedHashMap<>(WorkerFlags.properties(options));
        adapterProperties(properties);
        endpointProperties(properties);
        properties.put(
                "quarkus.http.limits.max-body-size",
                Long.toString(options.adapterPolicy().maxBytes() + FORM_BYTES));
        properties.put("lory.max-logprobs", Integer.toString(maxLogprobs));
        properties.put("lory.data", data().toString());
        if (apiKey != null) {
            properties.put("lory.api-key", apiKey);
        }
        if (adminKey != null) {
            properties.put("lory.admin-key", adminKey);
        }
        checkData();
        databaseFlags.check();
        Worker worker = WorkerFlags.open(options);
        checkOrdering(worker.status().model(), properties.getOrDefault("lory.order", ""));
        OpenedWorker.handOver(worker);
        properties.forEach(System::setProperty);
        return ServiceProcess.run(databaseFlags.connect(data()));
    }

    private void adapterProperties(Map<String, String> properties) {
        if (maxLogprobs < -1) {
            throw new ServiceException(
                    INVALID_CONFIGURATION,
                    "--max-logprobs must be at least 0, or -1 for the whole vocabulary, but is " + maxLogprobs);
        }
        adapterFlags.named().forEach((name, path) -> properties.put("lory.adapter.\"" + name + "\"", path.toString()));
        properties.put(
                "lory.adapters.root",
                adapterFlags.rootOr(Settings.home().resolve("models")).toString());
        Path demo = Settings.home().resolve("orderings").resolve("demo.json");
        if (order != null) {
            Path file = WorkerFlags.existing("--order", order);
            properties.put("lory.order", isForXLoras() ? "" : file.toString());
        } else {
            // The demo's ordering names the demo's adapters; another model starts without.
            properties.put("lory.order", workerFlags.isDemo() && Files.exists(demo) ? demo.toString() : "");
        }
    }

    /** As with mistral.rs, whose {@code -o} belongs to {@code -x}: it is not uploaded then, since its order names no adapters of their own. */
    private boolean isForXLoras() {
        return adapterFlags.named().values().stream()
                .anyMatch(folder -> AdapterKind.of(folder) == AdapterKind.XLORA && !XLoraPackage.hasOrdering(folder));
    }

    /** As an upload would be checked, but before anything is started. */
    private static void checkOrdering(ModelInfo model, String file) {
        if (file.isEmpty()) {
            return;
        }
        try {
            Ordering ordering = OrderingFile.parse(Files.readAllBytes(Path.of(file)));
            OrderingFile.refuseErrors(OrderingValidator.validate(ordering, model.linearSites(), model.name()));
        } catch (IOException e) {
            throw new ServiceException(INVALID_CONFIGURATION, "--order " + file + " cannot be read: " + e, e);
        } catch (ServiceException e) {
            throw new ServiceException(e.code(), file + ": " + e.detail(), e.members());
        }
    }

    /** Quarkus' own names hold where ours are not given, so that its tools may start the service, too. */
    private void endpointProperties(Map<String, String> properties) {
        String address = host != null ? host : quarkus("quarkus.http.host", "127.0.0.1");
        int number = port != null ? port : portNumber(quarkus("quarkus.http.port", "8080"));
        if (number < 0 || number > LAST_PORT) {
            throw new ServiceException(INVALID_CONFIGURATION, "--port must be between 0 and 65535 but is " + number);
        }
        InetAddress resolved = resolve(address);
        if (number > 0 && LaunchMode.current() == LaunchMode.NORMAL) {
            checkFree(resolved, number);
        }
        properties.put("quarkus.http.host", address);
        properties.put("quarkus.http.port", Integer.toString(number));
    }

    private static String quarkus(String property, String otherwise) {
        String variable = property.toUpperCase(java.util.Locale.ROOT).replace('.', '_');
        return System.getProperty(property, System.getenv().getOrDefault(variable, otherwise));
    }

    private static int portNumber(String text) {
        try {
            return Integer.parseInt(text);
        } catch (NumberFormatException e) {
            throw new ServiceException(
                    INVALID_CONFIGURATION, "quarkus.http.port must be a number but is '" + text + "'");
        }
    }

    private static InetAddress resolve(String address) {
        try {
            return InetAddress.getByName(address);
        } catch (UnknownHostException e) {
            throw new ServiceException(INVALID_CONFIGURATION, "--host " + address + " is no address of this machine");
        }
    }

    private static void checkFree(InetAddress address, int port) {
        try (ServerSocket probe = new ServerSocket()) {
            probe.bind(new InetSocketAddress(address, port));
        } catch (IOException e) {
            throw new ServiceException(
                    INVALID_CONFIGURATION,
                    "cannot listen on " + address.getHostAddress() + ":" + port + " (" + e.getMessage()
                            + "); give another --port");
        }
    }

    private Path data() {
        return (data != null ? data : Settings.home().resolve(".lory"))
                .toAbsolutePath()
                .normalize();
    }

    private void checkData() {
        if (Files.exists(data()) && !Files.isDirectory(data())) {
            throw new ServiceException(INVALID_CONFIGURATION, "--data " + data() + " is not a folder");
        }
    }
}
