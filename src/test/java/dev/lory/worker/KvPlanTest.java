package dev.lory.worker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lory.error.ErrorCode;
import dev.lory.error.ServiceException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Numbers in, numbers out: lengths in tokens, memory in MiB, a block takes one. */
final class KvPlanTest {
    private static final long MIB = 1L << 20;

    private static KvPlan plan(int modelLen, long free, long weights, int wantedLen, long wantedBytes) {
        return KvPlan.of(new KvPlan.Given(modelLen, MIB, free * MIB, weights * MIB), wantedLen, wantedBytes * MIB);
    }

    @ParameterizedTest
    @CsvSource({
        // model, free, weights, wanted length and bytes; length and blocks
        "  2048, 24000,   100,     0,    0,   2048,  256", // little context: several sequences
        "  8192, 24000,   100,     0,    0,   8192,  512", // one whole sequence
        "  8192, 24000,   100,  1000,    0,   1000,  256",
        "131072, 24000,  8000,     0,    0, 123904, 7744", // (24000 - 8000 - 512) / 2
        "131072, 24000,  8000, 65536,    0,  65536, 4096",
        "131072, 24000,  8000,     0, 9000, 131072, 9000",
        "131072, 24000,  8000,     0, 1000,  16000, 1000",
        "131072, 24000,  8000, 16000, 1000,  16000, 1000",
        "  8192,  1000,   200,     0,    0,   3200,  200", // the reserve is half of what is left
        "  2048,  1000,   200,     0,    0,   2048,  200",
        "  8190, 24000,   100,     0,    0,   8190,  512", // no multiple of a block
    })
    void plans(int modelLen, long free, long weights, int wantedLen, long wantedBytes, int len, int blocks) {
        assertThat(plan(modelLen, free, weights, wantedLen, wantedBytes))
                .isEqualTo(new KvPlan(len, blocks, (free - weights - blocks) << 20));
    }

    @ParameterizedTest
    @CsvSource({
        "  8192, 24000,   100,  9000,     0, 9000 8192",
        "131072, 24000,  8000, 131072,    0, 8589934592 8120172544",
        "131072, 24000,  8000,  16016, 1000, 1049624576 1048576000",
        "131072, 24000,  8000,     0, 16001, 16778264576 16777216000",
        "  8192,  1000,  1001,     0,     0, 1049624576 1048576000",
        "  8192,     5,     4,     0,     0, 1048576 262144",
    })
    void namesBothNumbersOfWhatDoesNotFit(
            int modelLen, long free, long weights, int wantedLen, long wantedBytes, String numbers) {
        assertThatThrownBy(() -> plan(modelLen, free, weights, wantedLen, wantedBytes))
                .isInstanceOfSatisfying(ServiceException.class, e -> {
                    assertThat(e.code()).isEqualTo(ErrorCode.INVALID_CONFIGURATION);
                    assertThat(e.detail()).contains(numbers.split(" "));
                });
    }

    @Test
    void aModelOfManyPositionsIsServedAsFarAsTheCacheGoes(@TempDir Path folder) throws IOException {
        Path small = Path.of("src/test/resources/fixtures/models/llama/base");
        try (Stream<Path> files = Files.list(small)) {
            for (Path file : files.toList()) {
                Files.copy(file, folder.resolve(file.getFileName()));
            }
        }
        String config = Files.readString(small.resolve("config.json"));
        Files.writeString(
                folder.resolve("config.json"),
                config.replace("\"max_position_embeddings\": 512", "\"max_position_embeddings\": 1048576"));
        // 2 layers of 2 heads of 16, in halves: 256 bytes a position
        try (LocalWorker worker = LocalWorker.open(options(folder, 0))) {
            WorkerStatus status = worker.status();
            assertThat(status.model().maxModelLen()).isEqualTo(4096);
            assertThat(status.engine().kvBlocks()).isEqualTo(256);
            assertThat(status.engine().generatedTokensTotal())
                    .as("while warming up")
                    .isPositive();
        }
        assertThatThrownBy(() -> LocalWorker.open(options(folder, 8192)))
                .hasMessageContaining("--max-model-len is 8192, which needs 2097152 bytes")
                .hasMessageContaining("--kv-cache is 1048576");
    }

    private static WorkerOptions options(Path model, int maxModelLen) {
        SmallOptions options = new SmallOptions(model);
        options.maxModelLen = maxModelLen;
        options.kvCacheBytes = 1 << 20;
        return options.get();
    }
}
