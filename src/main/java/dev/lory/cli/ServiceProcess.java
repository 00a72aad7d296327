package dev.lory.cli;

import io.quarkus.runtime.Quarkus;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/** Quarkus from start to end, and after it the database: what is written last must still find it. */
final class ServiceProcess {
    private static final long PATIENCE_SECONDS = 60;

    private ServiceProcess() {}

    /**
     * Returns when the service has ended.
     *
     * @param database is closed when Quarkus has stopped, also on a signal
     */
    static int run(AutoCloseable database) {
        CountDownLatch stopped = new CountDownLatch(1);
        // On a signal the JVM ends with its last hook, so the wait and the close have to be in one.
        Runtime.getRuntime().addShutdownHook(new Thread(() -> closeAfter(stopped, database), "database-stop"));
        AtomicInteger code = new AtomicInteger();
        try {
            Quarkus.run(ReadyMessage.class, (exit, failure) -> code.set(codeOf(exit, failure)));
        } finally {
            stopped.countDown();
        }
        return code.get();
    }

    private static int codeOf(Integer exit, Throwable failure) {
        if (failure == null) {
            return exit;
        }
        Throwable root = failure;
        while (root.getCause() != null) {
            root = root.getCause();
        }
        String sentence = root.getMessage() == null ? root.toString() : root.getMessage();
        System.err.println("lory: the service did not start: "
                + sentence.lines().findFirst().orElse(""));
        return Lory.USAGE;
    }

    private static void closeAfter(CountDownLatch stopped, AutoCloseable database) {
        try {
            stopped.await(PATIENCE_SECONDS, TimeUnit.SECONDS);
            database.close();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (Exception e) {
            System.err.println("lory: the database did not stop cleanly: " + e.getMessage());
        }
    }
}
