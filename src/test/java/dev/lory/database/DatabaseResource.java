package dev.lory.database;

import io.quarkus.test.common.QuarkusTestResourceLifecycleManager;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/** A fresh embedded PostgreSQL for the tests; annotate with {@code @WithTestResource(DatabaseResource.class)}. */
public final class DatabaseResource implements QuarkusTestResourceLifecycleManager {
    private final Path folder = temporary();
    private final EmbeddedDatabase database = new EmbeddedDatabase(folder);

    @Override
    public Map<String, String> start() {
        EmbeddedDatabase.Connection connection = database.start();
        return Map.of(
                "quarkus.datasource.jdbc.url", connection.jdbcUrl(),
                "quarkus.datasource.username", connection.user(),
                "quarkus.datasource.password", connection.password(),
                "lory.adapter.configured", "models/adapters/math");
    }

    @Override
    public void stop() {
        database.close();
        try {
            PostgresBinaries.delete(folder);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Path temporary() {
        try {
            return Files.createTempDirectory("lory-db");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
