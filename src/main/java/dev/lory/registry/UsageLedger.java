package dev.lory.registry;

import dev.lory.worker.GenerationEvent.Usage;
import io.quarkus.narayana.jta.QuarkusTransaction;
import io.quarkus.runtime.ShutdownEvent;
import io.quarkus.runtime.StartupEvent;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

/**
 * What was computed for whom, by the hour. Requests add in memory and never wait for the database; every few seconds, and at the end, what has
 * come together is added to the rows there, in one transaction. If that fails it is kept and tried again. Any thread may call.
 */
@ApplicationScoped
public class UsageLedger {
    private static final Logger LOG = Logger.getLogger(UsageLedger.class);
    private static final Duration EVERY = Duration.ofSeconds(5);
    private static final Duration STOP = Duration.ofSeconds(5);
    /** Keys in memory at most, should the database be away for long. */
    private static final int MOST = 10_000;

    private record Key(Instant hour, String tenant, List<String> adapters) {}

    private final BaseModels models;
    private final UsageRepository rows;
    private final Object lock = new Object();
    private Map<Key, UsageSum> pending = new HashMap<>();
    private boolean stopping;
    private boolean failing;
    private @Nullable Thread thread;

    UsageLedger(BaseModels models, UsageRepository rows) {
        this.models = models;
        this.rows = rows;
    }

    /** One request of a tenant has ended; without adapters it ran with the base model. */
    public void add(String tenant, List<String> adapters, Usage usage) {
        Key key = new Key(
                Instant.now().truncatedTo(ChronoUnit.HOURS),
                tenant,
                adapters.stream().sorted().toList());
        UsageSum sum = new UsageSum(1, usage.promptTokens(), usage.completionTokens(), usage.cachedTokens());
        synchronized (lock) {
            if (pending.size() < MOST || pending.containsKey(key)) {
                pending.merge(key, sum, UsageSum::plus);
                return;
            }
        }
        LOG.warnf("usage not kept, the database is away for too long: %s %s", key, sum);
    }

    /**
     * The rows of hours that begin at or after {@code from} and before {@code to}, by hour, tenant and adapters. What the services have not
     * written yet, of the last seconds, is missing.
     */
    public List<UsageRow> between(Instant from, Instant to) {
        return QuarkusTransaction.joiningExisting()
                .call(() -> models.served()
                        .map(model -> rows.between(model, from, to).stream()
                                .map(UsageEntity::view)
                                .toList())
                        .orElse(List.of()));
    }

    void start(@Observes StartupEvent event) {
        thread = Thread.ofPlatform().daemon().name("usage-ledger").start(this::run);
    }

    void stop(@Observes ShutdownEvent event) throws InterruptedException {
        Thread running = thread;
        if (running != null) {
            synchronized (lock) {
                stopping = true;
                lock.notifyAll();
            }
            running.join(STOP);
        }
    }

    private void run() {
        try {
            boolean last = false;
            while (!last) {
                synchronized (lock) {
                    if (!stopping) {
                        lock.wait(EVERY.toMillis());
                    }
                    last = stopping;
                }
                flush();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Writes what has come together. */
    synchronized void flush() {
        Map<Key, UsageSum> taken;
        synchronized (lock) {
            taken = pending;
            pending = new HashMap<>();
        }
        if (taken.isEmpty()) {
            return;
        }
        try {
            QuarkusTransaction.requiringNew().run(() -> write(taken));
            if (failing) {
                LOG.info("usage is written again");
            }
            failing = false;
        } catch (RuntimeException e) {
            if (!failing) {
                LOG.warnf("usage is kept in memory, writing it failed: %s", e.getMessage());
            }
            failing = true;
            synchronized (lock) {
                taken.forEach((key, sum) -> pending.merge(key, sum, UsageSum::plus));
            }
        }
    }

    /** In one order, so that two services do not wait for each other. */
    private void write(Map<Key, UsageSum> taken) {
        BaseModelEntity model = models.served().orElseThrow();
        taken.entrySet().stream()
                .map(entry -> new UsageRow(
                        entry.getKey().hour(),
                        entry.getKey().tenant(),
                        entry.getKey().adapters(),
                        entry.getValue()))
                .sorted(Comparator.comparing(UsageRow::hour)
                        .thenComparing(UsageRow::tenant)
                        .thenComparing(row -> String.join("+", row.adapters())))
                .forEach(row -> rows.add(model, row));
    }
}
