package dev.lory.database;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lory.error.ErrorCode;
import dev.lory.error.ServiceException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EmbeddedDatabaseTest {
    /** One folder for all, since unpacking takes seconds. */
    @TempDir
    static Path folder;

    @Test
    void keepsWhatWasCommittedOverARestart() throws SQLException {
        try (EmbeddedDatabase database = new EmbeddedDatabase(folder)) {
            EmbeddedDatabase.Connection first = database.start();
            run(first, "create table restart (x int)");
            run(first, "insert into restart values (7)");
            database.close();
            assertThat(number(database.start(), "select x from restart")).isEqualTo(7);
        }
    }

    @Test
    void refusesAFolderThatAnotherServiceUses() {
        try (EmbeddedDatabase database = new EmbeddedDatabase(folder)) {
            database.start();
            assertThatThrownBy(() -> new EmbeddedDatabase(folder).start())
                    .isInstanceOfSatisfying(ServiceException.class, e -> {
                        assertThat(e.code()).isEqualTo(ErrorCode.UNAVAILABLE);
                        assertThat(e.detail()).contains(folder.toString(), "in use");
                    });
        }
    }

    @Test
    void recoversWhenItsServerWasKilledAndLeftItsPidFile() throws SQLException, IOException {
        try (EmbeddedDatabase database = new EmbeddedDatabase(folder)) {
            EmbeddedDatabase.Connection first = database.start();
            run(first, "create table crash (x int)");
            run(first, "insert into crash values (9)");
            Path pidFile = folder.resolve("pgdata/postmaster.pid");
            ProcessHandle server = ProcessHandle.of(
                            Long.parseLong(Files.readAllLines(pidFile).getFirst()))
                    .orElseThrow();
            server.destroyForcibly();
            server.onExit().join();
            database.close();
            assertThat(pidFile).exists();

            assertThat(number(database.start(), "select x from crash")).isEqualTo(9);
        }
    }

    @Test
    void keepsThePasswordToItsOwner() throws IOException {
        try (EmbeddedDatabase database = new EmbeddedDatabase(folder)) {
            EmbeddedDatabase.Connection connection = database.start();
            assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(folder.resolve("pg.password"))))
                    .isEqualTo("rw-------");
            assertThat(connection.toString()).doesNotContain(connection.password());
            assertThatThrownBy(() -> DatabaseCheck.connect(connection.jdbcUrl(), connection.user(), "wrong-secret"))
                    .isInstanceOfSatisfying(
                            ServiceException.class,
                            e -> assertThat(e.detail())
                                    .contains("127.0.0.1:", "password of user `lory`")
                                    .doesNotContain("wrong-secret"));
            DatabaseCheck.connect(connection.jdbcUrl(), connection.user(), connection.password());
        }
    }

    @Test
    void refusesAClusterOfAnotherMajorVersion(@TempDir Path old) throws IOException {
        Files.createDirectories(old.resolve("pgdata"));
        Files.writeString(old.resolve("pgdata/PG_VERSION"), "13\n");
        assertThatThrownBy(() -> new EmbeddedDatabase(old).start())
                .isInstanceOfSatisfying(ServiceException.class, e -> {
                    assertThat(e.code()).isEqualTo(ErrorCode.INVALID_CONFIGURATION);
                    assertThat(e.detail()).contains("PostgreSQL 13", "18", old.toString());
                });
    }

    @Test
    void namesADataFolderThatIsAFile(@TempDir Path parent) throws IOException {
        Path file = Files.writeString(parent.resolve("data"), "");
        assertThatThrownBy(() -> new EmbeddedDatabase(file).start())
                .isInstanceOfSatisfying(ServiceException.class, e -> {
                    assertThat(e.code()).isEqualTo(ErrorCode.INVALID_CONFIGURATION);
                    assertThat(e.detail()).contains(file.toString());
                });
    }

    @Test
    void explainsADatabaseThatDoesNotAnswer() {
        assertThatThrownBy(() -> DatabaseCheck.connect("jdbc:postgresql://127.0.0.1:1/lory?password=secret", "me", "x"))
                .isInstanceOfSatisfying(
                        ServiceException.class,
                        e -> assertThat(e.detail())
                                .contains("127.0.0.1:1/lory", "`me`", "nothing answers there")
                                .doesNotContain("secret"));
        assertThatThrownBy(() -> DatabaseCheck.connect("jdbc:mysql://host/db", "me", "x"))
                .hasMessageContaining("jdbc:postgresql:");
    }

    private static void run(EmbeddedDatabase.Connection to, String sql) throws SQLException {
        try (Connection connection = open(to);
                Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    private static int number(EmbeddedDatabase.Connection to, String sql) throws SQLException {
        try (Connection connection = open(to);
                Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(sql)) {
            rows.next();
            return rows.getInt(1);
        }
    }

    private static Connection open(EmbeddedDatabase.Connection to) throws SQLException {
        return DriverManager.getConnection(to.jdbcUrl(), to.user(), to.password());
    }
}
