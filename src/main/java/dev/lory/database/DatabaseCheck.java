package dev.lory.database;

import dev.lory.error.ErrorCode;
import dev.lory.error.ServiceException;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.Map;
import java.util.Properties;

/** Tries an external database before anything is started on it, to say in one sentence what is wrong. */
public final class DatabaseCheck {
    private static final String SECONDS = "10";
    private static final Map<String, String> REASONS = Map.of(
            "28P01", "it refuses the password of user `%s`",
            "28000", "it refuses user `%s`",
            "3D000", "there is no such database",
            "08001", "nothing answers there",
            "08004", "it refuses the connection",
            "08006", "the connection broke",
            "53300", "it has no connection left");

    private DatabaseCheck() {}

    /**
     * Connects once.
     *
     * @throws ServiceException {@code INVALID_CONFIGURATION} with address and user, never the password
     */
    public static void connect(String jdbcUrl, String user, String password) {
        if (!jdbcUrl.startsWith("jdbc:postgresql:")) {
            throw new ServiceException(
                    ErrorCode.INVALID_CONFIGURATION,
                    "the database URL must start with jdbc:postgresql: but is `" + shown(jdbcUrl) + "`");
        }
        Properties properties = new Properties();
        properties.setProperty("user", user);
        properties.setProperty("password", password);
        properties.setProperty("connectTimeout", SECONDS);
        properties.setProperty("loginTimeout", SECONDS);
        try (Connection connection = DriverManager.getConnection(jdbcUrl, properties)) {
            int major = connection.getMetaData().getDatabaseMajorVersion();
            if (major < 14) {
                throw new ServiceException(
                        ErrorCode.INVALID_CONFIGURATION,
                        "the database " + shown(jdbcUrl) + " is PostgreSQL " + major + ", at least 14 is wanted");
            }
        } catch (SQLException e) {
            String state = String.valueOf(e.getSQLState());
            String reason = REASONS.getOrDefault(state, "PostgreSQL says " + state);
            throw new ServiceException(
                    ErrorCode.INVALID_CONFIGURATION,
                    "the database " + shown(jdbcUrl) + " cannot be used as user `" + user + "`: "
                            + reason.formatted(user),
                    e);
        }
    }

    /** Without parameters, which may hold a password. */
    private static String shown(String jdbcUrl) {
        return jdbcUrl.replaceFirst("\\?.*", "");
    }
}
