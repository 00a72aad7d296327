package dev.lory.cli;

import dev.lory.database.DatabaseCheck;
import dev.lory.database.EmbeddedDatabase;
import dev.lory.database.EmbeddedDatabase.Connection;
import java.nio.file.Path;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Which database the service keeps its state in: one of its own, unless a JDBC URL is given, by flag or in Quarkus' own way. */
final class DatabaseFlags {
    private static final String URL = "quarkus.datasource.jdbc.url";
    private static final String USER = "quarkus.datasource.username";
    private static final String PASSWORD = "quarkus.datasource.password";

    @Option(
            names = "--db-url",
            paramLabel = "JDBC_URL",
            description = "A PostgreSQL of yours; default: the service starts one.")
    private @Nullable String url;

    @Option(names = "--db-user", paramLabel = "NAME", description = "For --db-url.")
    private @Nullable String user;

    @Option(
            names = "--db-password",
            paramLabel = "PASSWORD",
            description = "For --db-url; better given as LORY_DB_PASSWORD.")
    private @Nullable String password;

    /** @throws dev.lory.error.ServiceException if a database is given and does not let us in */
    void check() {
        if (isExternal()) {
            Connection given = external();
            DatabaseCheck.connect(given.jdbcUrl(), given.user(), given.password());
        }
    }

    /** Starts the service's own database if none is given; either way Quarkus is told where it is. */
    AutoCloseable connect(Path data) {
        if (isExternal()) {
            tell(external());
            return () -> {};
        }
        EmbeddedDatabase database = new EmbeddedDatabase(data);
        tell(database.start());
        return database;
    }

    private boolean isExternal() {
        return !value(url, URL).isEmpty();
    }

    private Connection external() {
        return new Connection(value(url, URL), value(user, USER), value(password, PASSWORD));
    }

    private static String value(@Nullable String flag, String property) {
        if (flag != null) {
            return flag;
        }
        String variable = property.toUpperCase(Locale.ROOT).replace('.', '_');
        return System.getProperty(property, System.getenv().getOrDefault(variable, ""));
    }

    private static void tell(Connection connection) {
        System.setProperty(URL, connection.jdbcUrl());
        System.setProperty(USER, connection.user());
        System.setProperty(PASSWORD, connection.password());
    }
}
