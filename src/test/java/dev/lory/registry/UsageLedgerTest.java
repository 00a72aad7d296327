package dev.lory.registry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import dev.lory.database.DatabaseResource;
import dev.lory.worker.GenerationEvent.Usage;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import jakarta.inject.Inject;
import jakarta.persistence.EntityManager;
import jakarta.transaction.UserTransaction;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.Test;

/** The ledger on a real PostgreSQL: what is added is there once, whoever adds and whatever fails. */
@QuarkusTest
@WithTestResource(DatabaseResource.class)
class UsageLedgerTest {
    private static final Usage USAGE = new Usage(10, 3, 4);

    @Inject
    UsageLedger ledger;

    @Inject
    BaseModels models;

    @Inject
    UsageRepository rows;

    @Inject
    EntityManager database;

    @Inject
    UserTransaction transaction;

    private UsageSum of(String tenant) {
        Instant now = Instant.now();
        return ledger.between(now.minus(Duration.ofHours(2)), now.plusSeconds(1)).stream()
                .filter(row -> row.tenant().equals(tenant))
                .map(UsageRow::used)
                .reduce(UsageSum.NONE, UsageSum::plus);
    }

    @Test
    void addsToTheRowOfTheHour() {
        ledger.add("adds", List.of("b", "a"), USAGE);
        ledger.flush();
        ledger.add("adds", List.of("a", "b"), USAGE);
        ledger.add("adds", List.of(), USAGE);
        ledger.flush();
        Instant now = Instant.now();
        assertThat(ledger.between(now.minus(Duration.ofHours(2)), now.plusSeconds(1)))
                .filteredOn(row -> row.tenant().equals("adds"))
                .extracting(UsageRow::adapters, UsageRow::used)
                .contains(org.assertj.core.groups.Tuple.tuple(List.of(), new UsageSum(1, 10, 3, 4)))
                .hasSizeBetween(2, 3); // the hour may end meanwhile
        assertThat(of("adds")).isEqualTo(new UsageSum(3, 30, 9, 12));
    }

    @Test
    void twoServicesAddToTheSameRows() throws Exception {
        UsageLedger other = new UsageLedger(models, rows);
        try (ExecutorService services = Executors.newFixedThreadPool(2)) {
            for (UsageLedger service : List.of(ledger, other)) {
                services.submit(() -> {
                    for (int i = 0; i < 50; i++) {
                        service.add("two", List.of("a" + i % 3), USAGE);
                        service.add("two", List.of("a" + (2 - i % 3)), USAGE);
                        service.flush();
                    }
                });
            }
        }
        ledger.flush();
        other.flush();
        assertThat(of("two")).isEqualTo(new UsageSum(200, 2000, 600, 800));
    }

    @Test
    void keepsWhatItCannotWrite() throws Exception {
        execute("alter table usage_ledger rename to usage_ledger_away");
        try {
            ledger.add("kept", List.of("a"), USAGE);
            assertThatCode(ledger::flush).doesNotThrowAnyException();
            ledger.add("kept", List.of("a"), USAGE);
            assertThatCode(ledger::flush).doesNotThrowAnyException();
        } finally {
            execute("alter table usage_ledger_away rename to usage_ledger");
        }
        ledger.flush();
        ledger.flush();
        assertThat(of("kept")).isEqualTo(new UsageSum(2, 20, 6, 8));
    }

    private void execute(String sql) throws Exception {
        transaction.begin();
        database.createNativeQuery(sql).executeUpdate();
        transaction.commit();
    }
}
