package dev.lory.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

class SettingsTest {
    private static final String PROPERTY = "lory.some-number";

    @Command
    static final class Flags {
        @Option(names = {"-s", "--some-number"})
        int someNumber = 1;
    }

    @AfterEach
    void forgetTheProperty() {
        System.clearProperty(PROPERTY);
    }

    private static int parsed(Map<String, String> environment, String... arguments) {
        Flags flags = new Flags();
        new CommandLine(flags)
                .setDefaultValueProvider(new Settings(environment))
                .parseArgs(arguments);
        return flags.someNumber;
    }

    @Test
    void flagStandsAboveEnvironmentAbovePropertyAboveDefault() {
        Map<String, String> environment = Map.of("LORY_SOME_NUMBER", "3");

        assertThat(parsed(Map.of())).isEqualTo(1);
        System.setProperty(PROPERTY, "2");
        assertThat(parsed(Map.of())).isEqualTo(2);
        assertThat(parsed(environment)).isEqualTo(3);
        assertThat(parsed(environment, "-s", "4")).isEqualTo(4);
    }

    @Test
    void emptyVariableCountsAsUnset() {
        assertThat(parsed(Map.of("LORY_SOME_NUMBER", ""))).isEqualTo(1);
    }

    @ParameterizedTest
    @CsvSource({
        "0, 0",
        "1024, 1024",
        "64K, 65536",
        "256M, 268435456",
        "256MiB, 268435456",
        "2g, 2147483648",
        "1 GB, 1073741824"
    })
    void bytesMayHaveAUnit(String text, long bytes) {
        assertThat(new ByteSize().convert(text)).isEqualTo(bytes);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "-1", "1.5G", "G", "1X", "99999999999999T"})
    void whatIsNoNumberOfBytesIsRefused(String text) {
        assertThat(org.assertj.core.api.Assertions.catchThrowable(() -> new ByteSize().convert(text)))
                .isInstanceOf(TypeConversionException.class)
                .hasMessageContaining("'" + text + "'");
    }
}
