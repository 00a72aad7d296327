package dev.lory.registry;

import static dev.lory.error.ErrorCode.INVALID_CONFIGURATION;

import dev.lory.error.ServiceException;
import dev.lory.registry.EmbeddedDatabase.Connection;
import java.sql.SQLException;
import java.util.Properties;
import org.postgresql.Driver;

/** A PostgreSQL that somebody else runs. */
public final class ExternalDatabase {
    private static final String PATIENCE_SECONDS = "10";

    private ExternalDatabase() {}

    /**
     * Connects once, so that a wrong address or password is one sentence before anything is started.
     *
     * @throws ServiceException {@code INVALID_CONFIGURATION} with what the server or the network said
     */
    public static void check(Connection connection) {
        Driver driver = new Driver();
        Properties login = new Properties();
        login.setProperty("user", connection.user());
        login.setProperty("password", connection.password());
        login.setProperty("loginTimeout", PATIENCE_SECONDS);
        if (!driver.acceptsURL(connection.jdbcUrl())) {
            throw new ServiceException(
                    INVALID_CONFIGURATION,
                    "the database URL must begin with jdbc:postgresql: but is " + connection.jdbcUrl());
        }
        try (var opened = driver.connect(connection.jdbcUrl(), login)) {
            if (opened == null || !opened.isValid(1)) {
                throw new ServiceException(
                        INVALID_CONFIGURATION, "the database " + connection.jdbcUrl() + " does not answer");
            }
        } catch (SQLException e) {
            throw new ServiceException(
                    INVALID_CONFIGURATION, "cannot connect to the database " + connection + ": " + e.getMessage(), e);
        }
    }
}
