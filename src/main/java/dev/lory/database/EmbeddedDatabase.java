package dev.lory.database;

import static dev.lory.error.ErrorCode.INVALID_CONFIGURATION;
import static dev.lory.error.ErrorCode.UNAVAILABLE;

import dev.lory.error.ServiceException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The bundled PostgreSQL on a folder of the service's own: durable, reachable from this machine only, with a random password. It ends with
 * this JVM, also when that is killed. For several replicas, use a database of your own.
 */
public final class EmbeddedDatabase implements AutoCloseable {
    private static final String USER = "lory";
    private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(120);

    private final Path home;
    private final Path data;
    private final Path passwordFile;
    private final Path log;
    private @Nullable FileChannel lock;
    private @Nullable Process server;
    private @Nullable PostgresCommand command;

    /** Where and as whom to connect. */
    public record Connection(String jdbcUrl, String user, String password) {
        /** Without the password. */
        @Override
        public String toString() {
            return "Connection[" + jdbcUrl + ", " + user + "]";
        }
    }

    /** @param dataFolder is made if it is not there; programs, cluster, password and log live in it */
    public EmbeddedDatabase(Path dataFolder) {
        home = dataFolder.toAbsolutePath().normalize();
        data = home.resolve("pgdata");
        passwordFile = home.resolve("pg.password");
        log = home.resolve("postgres.log");
    }

    /**
     * Unpacks and creates what is missing, starts the server and waits until it answers.
     *
     * @throws ServiceException {@code INVALID_CONFIGURATION} if the folder cannot be used; {@code UNAVAILABLE} if another service uses it
     *     or PostgreSQL does not come up
     */
    public synchronized Connection start() {
        if (server != null) {
            throw new IllegalStateException("already started on " + home);
        }
        boolean started = false;
        try {
            prepareFolder();
            boolean isThere = Files.exists(data.resolve("PG_VERSION"));
            if (isThere) {
                checkVersion();
            }
            PostgresCommand postgres = new PostgresCommand(PostgresBinaries.unpackInto(home), home);
            command = postgres;
            endOrphan(postgres);
            if (!isThere) {
                initialise(postgres);
            }
            int port = freePort();
            server = launch(postgres, port);
            awaitReady(server);
            if (!PostgresCommand.serverEndsWithParent()) {
                Runtime.getRuntime().addShutdownHook(new Thread(this::close, "postgres-stop"));
            }
            started = true;
            return new Connection(
                    "jdbc:postgresql://127.0.0.1:" + port + "/postgres",
                    USER,
                    Files.readString(passwordFile).strip());
        } catch (IOException e) {
            throw new ServiceException(
                    UNAVAILABLE, "the database folder " + home + " cannot be used: " + ServiceException.reason(e), e);
        } finally {
            if (!started) {
                close();
            }
        }
    }

    /** Ends the server cleanly; what was committed is on disk. Does nothing if it is not running. */
    @Override
    public synchronized void close() {
        Process running = server;
        PostgresCommand postgres = command;
        try {
            if (running != null && running.isAlive() && postgres != null) {
                postgres.stop(data);
            }
        } catch (IOException | ServiceException e) {
            if (running != null) {
                running.destroy();
            }
        } finally {
            server = null;
            releaseLock();
        }
    }

    private void prepareFolder() throws IOException {
        try {
            Files.createDirectories(home);
        } catch (IOException e) {
            throw new ServiceException(
                    INVALID_CONFIGURATION,
                    "the data folder " + home + " cannot be created: " + ServiceException.reason(e),
                    e);
        }
        if (!Files.isWritable(home)) {
            throw new ServiceException(INVALID_CONFIGURATION, "the data folder " + home + " is not writable");
        }
        FileChannel channel =
                FileChannel.open(home.resolve("lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        lock = channel;
        try {
            if (channel.tryLock() != null) {
                return;
            }
        } catch (OverlappingFileLockException e) {
            // Another service in this very JVM: the same answer as for one in another process.
        }
        throw new ServiceException(
                UNAVAILABLE,
                "the data folder " + home
                        + " is in use by another running service; stop that one or give another --data");
    }

    private void releaseLock() {
        FileChannel held = lock;
        lock = null;
        if (held != null) {
            try {
                held.close();
            } catch (IOException e) {
                throw new IllegalStateException("cannot release the lock of " + home, e);
            }
        }
    }

    private void checkVersion() throws IOException {
        String found = Files.readString(data.resolve("PG_VERSION")).strip();
        if (!found.equals(PostgresBinaries.MAJOR)) {
            throw new ServiceException(
                    INVALID_CONFIGURATION,
                    "the database in " + data + " was made by PostgreSQL " + found + ", this service runs "
                            + PostgresBinaries.MAJOR + "; move it away, or give that database by --db-url");
        }
        if (!Files.exists(passwordFile)) {
            throw new ServiceException(
                    INVALID_CONFIGURATION,
                    "the password of the database in " + data + " is missing: " + passwordFile + " is not there");
        }
    }

    private void initialise(PostgresCommand postgres) throws IOException {
        byte[] secret = new byte[24];
        new SecureRandom().nextBytes(secret);
        Files.deleteIfExists(passwordFile);
        Files.createFile(
                passwordFile, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
        Files.writeString(passwordFile, HexFormat.of().formatHex(secret) + "\n");
        postgres.own(passwordFile);
        Path half = home.resolve("pgdata.new");
        PostgresBinaries.delete(half);
        postgres.initdb(half, USER, passwordFile);
        // Only a complete cluster gets the name that is looked for.
        Files.move(half, data, StandardCopyOption.ATOMIC_MOVE);
    }

    /** A server may survive a JVM that was killed: where the kernel cannot be told to end it, we do. */
    private void endOrphan(PostgresCommand postgres) throws IOException {
        Path pidFile = data.resolve("postmaster.pid");
        if (!Files.exists(pidFile)) {
            return;
        }
        long pid = pidIn(pidFile);
        Optional<ProcessHandle> left = ProcessHandle.of(pid);
        if (left.isPresent() && left.get().info().commandLine().orElse("").contains(data.toString())) {
            postgres.stop(data);
        }
        // Ended but not yet reaped, it still answers a signal, and PostgreSQL would take it for alive.
        for (int tries = 0; Files.exists(pidFile) && isZombie(pid); tries++) {
            if (tries == 100) {
                Files.delete(pidFile);
                return;
            }
            sleep(100);
        }
    }

    private static long pidIn(Path pidFile) throws IOException {
        List<String> lines = Files.readAllLines(pidFile);
        try {
            return lines.isEmpty() ? -1 : Long.parseLong(lines.getFirst().strip());
        } catch (NumberFormatException e) {
            return -1;
        }
    }

    private static boolean isZombie(long pid) {
        try {
            String stat = Files.readString(Path.of("/proc/" + pid + "/stat"));
            return stat.charAt(stat.lastIndexOf(')') + 2) == 'Z';
        } catch (IOException e) {
            return false;
        }
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }

    private Process launch(PostgresCommand postgres, int port) throws IOException {
        ProcessBuilder builder = new ProcessBuilder(postgres.server(data, port))
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()));
        CompletableFuture<Process> forked = new CompletableFuture<>();
        // The kernel ends the server with the thread that forked it, so that thread must live as long as the JVM.
        Thread.ofPlatform().daemon().name("postgres").start(() -> {
            try {
                Process process = builder.start();
                forked.complete(process);
                process.waitFor();
                new CountDownLatch(1).await();
            } catch (IOException e) {
                forked.completeExceptionally(e);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });
        try {
            return forked.join();
        } catch (CompletionException e) {
            throw new IOException(String.valueOf(e.getCause()), e);
        }
    }

    private void awaitReady(Process process) throws IOException {
        Path pidFile = data.resolve("postmaster.pid");
        long end = System.nanoTime() + PATIENCE_NANOS;
        while (!isReady(pidFile, process.pid())) {
            if (!process.isAlive()) {
                throw new ServiceException(
                        UNAVAILABLE,
                        "PostgreSQL ended with status " + process.exitValue() + " while starting; the last lines of "
                                + log + ": " + tail());
            }
            if (System.nanoTime() > end) {
                throw new ServiceException(UNAVAILABLE, "PostgreSQL is not ready after 120 s; see " + log);
            }
            sleep(25);
        }
    }

    /** A stale file of a killed server also says ready: the process id must be ours. */
    private static boolean isReady(Path pidFile, long pid) throws IOException {
        if (!Files.exists(pidFile)) {
            return false;
        }
        List<String> lines = Files.readAllLines(pidFile);
        return lines.size() >= 8
                && lines.get(0).strip().equals(Long.toString(pid))
                && lines.get(7).strip().equals("ready");
    }

    private String tail() throws IOException {
        List<String> lines = new ArrayList<>(Files.readAllLines(log));
        return String.join(" | ", lines.subList(Math.max(0, lines.size() - 3), lines.size()));
    }

    private static void sleep(long millis) {
        try {
            Thread.sleep(millis);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ServiceException(UNAVAILABLE, "interrupted while PostgreSQL was starting", e);
        }
    }
}
