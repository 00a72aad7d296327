package dev.lory.database;

import dev.lory.error.ErrorCode;
import dev.lory.error.ServiceException;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * The command lines of PostgreSQL's programs. They refuse to run as root: then they run in a user namespace of their own, or, where the
 * kernel forbids that, as user 65534 who is given the folder.
 */
final class PostgresCommand {
    private static final String NOBODY = "65534";

    private static final int LINES_SHOWN = 3;
    private static final Pattern TELLING =
            Pattern.compile("(?i)\\b(fatal|error|could not|cannot|no space|denied|not permitted)\\b");

    private final Path bin;
    private final Path home;
    private final List<String> prefix;

    PostgresCommand(Path bin, Path home) throws IOException {
        this.bin = bin;
        this.home = home;
        this.prefix = unprivileged(home);
    }

    private static List<String> unprivileged(Path home) throws IOException {
        if (!System.getProperty("user.name").equals("root")) {
            return List.of();
        }
        if (isThere("unshare") && status(List.of("unshare", "-U", "true")) == 0) {
            return List.of("unshare", "-U");
        }
        Files.setPosixFilePermissions(home, PosixFilePermissions.fromString("rwxr-xr-x"));
        run(home, List.of("chown", NOBODY + ":" + NOBODY, home.toString()));
        for (String name : List.of("pgdata", "pg.password", "postgres.log")) {
            if (Files.exists(home.resolve(name))) {
                run(
                        home,
                        List.of(
                                "chown",
                                "-R",
                                NOBODY + ":" + NOBODY,
                                home.resolve(name).toString()));
            }
        }
        return List.of("setpriv", "--reuid", NOBODY, "--regid", NOBODY, "--clear-groups");
    }

    /** Gives a file to whom the programs run as. */
    void own(Path file) throws IOException {
        if (prefix.contains(NOBODY)) {
            run(home, List.of("chown", NOBODY, file.toString()));
        }
    }

    void initdb(Path cluster, String user, Path passwordFile) throws IOException {
        run(
                home,
                prefixed(
                        program("initdb"),
                        "-D",
                        cluster.toString(),
                        "-U",
                        user,
                        "-A",
                        "scram-sha-256",
                        "--pwfile",
                        passwordFile.toString(),
                        "-E",
                        "UTF8",
                        "--locale-provider=builtin",
                        "--builtin-locale=C.UTF-8",
                        "--locale=C",
                        "--data-checksums"));
    }

    /** Everything on it is an exec, so the process that is started is the server itself. */
    List<String> server(Path cluster, int port) {
        List<String> line = new ArrayList<>(prefix);
        if (isThere("setsid")) {
            line.add("setsid"); // Ctrl-C on the service's terminal is for the service, which ends the server last
        }
        if (serverEndsWithParent()) {
            // After the change of credentials, which would clear it. INT is PostgreSQL's fast shutdown.
            line.addAll(List.of("setpriv", "--pdeathsig", "INT"));
        }
        line.addAll(List.of(program("postgres"), "-D", cluster.toString()));
        for (String setting : List.of(
                "port=" + port,
                "listen_addresses=127.0.0.1",
                "unix_socket_directories=",
                "timezone=UTC",
                "log_timezone=UTC")) {
            line.addAll(List.of("-c", setting));
        }
        return line;
    }

    /** Ends the server of a cluster after rolling back what runs. */
    void stop(Path cluster) throws IOException {
        run(home, prefixed(program("pg_ctl"), "-D", cluster.toString(), "-m", "fast", "-w", "-t", "60", "stop"));
    }

    /** Whether the kernel ends the server with this JVM. */
    static boolean serverEndsWithParent() {
        return isThere("setpriv");
    }

    private String program(String name) {
        return bin.resolve(name).toString();
    }

    private List<String> prefixed(String... line) {
        return Stream.concat(prefix.stream(), Stream.of(line)).toList();
    }

    private static boolean isThere(String program) {
        String path = System.getenv("PATH");
        return path != null
                && Stream.of(path.split(File.pathSeparator, -1))
                        .anyMatch(folder -> Files.isExecutable(Path.of(folder, program)));
    }

    private static void run(Path home, List<String> line) throws IOException {
        Process process = new ProcessBuilder(line).redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (await(process) != 0) {
            throw new ServiceException(
                    ErrorCode.UNAVAILABLE,
                    "the data folder " + home + " cannot be used: " + program(line) + " failed: " + telling(output));
        }
    }

    /** The last program of the chain that a command line executes. */
    private static String program(List<String> line) {
        return line.stream()
                .filter(word -> word.contains("/bin/") && !word.startsWith("-"))
                .findFirst()
                .map(word -> String.valueOf(Path.of(word).getFileName()))
                .orElse(line.getFirst());
    }

    /** The lines that say what is wrong, or else the last ones. */
    private static String telling(String output) {
        List<String> lines = output.lines().filter(line -> !line.isBlank()).toList();
        List<String> told =
                lines.stream().filter(line -> TELLING.matcher(line).find()).toList();
        List<String> shown = told.isEmpty() ? lines : told;
        return String.join(" | ", shown.subList(Math.max(0, shown.size() - LINES_SHOWN), shown.size()));
    }

    private static int status(List<String> line) throws IOException {
        Process process = new ProcessBuilder(line).redirectErrorStream(true).start();
        process.getInputStream().readAllBytes();
        return await(process);
    }

    private static int await(Process process) {
        try {
            return process.waitFor();
        } catch (InterruptedException e) {
            process.destroy();
            Thread.currentThread().interrupt();
            throw new ServiceException(ErrorCode.UNAVAILABLE, "interrupted while PostgreSQL was starting", e);
        }
    }
}
