package dev.lory.digest;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class Sha256Test {
    @Test
    void givesTheDigestOfTheStandardsExampleForTextBytesAndFile(@TempDir Path folder) throws IOException {
        String wanted = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assertThat(Sha256.hex("abc")).isEqualTo(wanted);
        assertThat(Sha256.hex(new byte[] {'a', 'b', 'c'})).isEqualTo(wanted);
        assertThat(Sha256.hex(Files.writeString(folder.resolve("file"), "abc"))).isEqualTo(wanted);
    }
}
