package dev.lory.digest;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class Sha256Test {
    @Test
    void givesTheDigestOfTheStandardsExampleForTextBytesAndFiles(@TempDir Path folder) throws IOException {
        String wanted = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        Path first = Files.writeString(folder.resolve("first"), "a");
        Path second = Files.writeString(folder.resolve("second"), "bc");
        assertThat(Sha256.hex("abc")).isEqualTo(wanted);
        assertThat(Sha256.hex(new byte[] {'a', 'b', 'c'})).isEqualTo(wanted);
        assertThat(Sha256.hex(List.of(first, second))).isEqualTo(wanted);
    }
}
