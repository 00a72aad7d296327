package dev.lory.format;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lory.tensor.Tensor;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Files of more than 5 GB, nearly all of it holes that take no room on the disk. */
final class LargeFileTest {
    @TempDir
    Path folder;

    @Test
    void readsSafetensorsOnBothSidesOfTwoAndFourGigabytes() throws IOException {
        long bytes = 5_600_000_000L;
        String header = """
                {"first": {"dtype": "BF16", "shape": [70000, 40000], "data_offsets": [0, %d]},
                 "last": {"dtype": "F32", "shape": [2], "data_offsets": [%d, %d]}}""".formatted(bytes, bytes, bytes + 8);
        Path file = folder.resolve("model.safetensors");
        try (FileChannel channel = sparse(file)) {
            byte[] json = header.getBytes(StandardCharsets.UTF_8);
            channel.write(little(8).putLong(json.length).flip());
            channel.write(ByteBuffer.wrap(json));
            long data = channel.position();
            // 1.5 as a BF16
            for (long at : new long[] {80_000, 2_500_000_000L, 4_500_000_000L}) {
                channel.write(little(2).putShort((short) 0x3fc0).flip(), data + at);
            }
            channel.write(little(8).putFloat(2.5f).putFloat(-3).flip(), data + bytes);
        }
        try (SafetensorsSource source = SafetensorsSource.open(file)) {
            Tensor first = source.tensor("first");
            for (int row : new int[] {1, 31_250, 56_250}) {
                assertThat(first.row(row)).startsWith(1.5f, 0);
                assertThat(first.slice(row, 2).row(0)).startsWith(1.5f, 0);
                assertThat(first.row(row + 1)).containsOnly(0);
            }
            assertThat(source.tensor("last").row(0)).containsExactly(2.5f, -3);
        }
    }

    @Test
    void readsGgufTensorsBeyondFourGigabytes() throws IOException {
        Path file = new GgufFileWriter()
                .llama(1, 8, 4, 2, 2)
                .hole("token_embd.weight", List.of(8, 170_000_000))
                .tensor("blk.0.attn_q.weight", List.of(8, 8), index -> index / 8)
                .tensor("blk.0.attn_v.weight", List.of(8, 8), index -> index)
                .write(folder.resolve("model.gguf"));
        try (Arena arena = Arena.ofConfined();
                GgufSource source = GgufSource.open(file)) {
            assertThat(source.info("model.embed_tokens.weight").bytes()).isGreaterThan(5L << 30);
            assertThat(source.tensor("model.embed_tokens.weight", arena).row(169_999_999))
                    .containsOnly(0);
            assertThat(source.tensor("model.layers.0.self_attn.q_proj.weight", arena)
                            .row(1))
                    .containsOnly(2);
            assertThat(source.tensor("model.layers.0.self_attn.v_proj.weight", arena)
                            .row(7))
                    .containsExactly(56, 57, 58, 59, 60, 61, 62, 63);
        }
    }

    private static FileChannel sparse(Path file) throws IOException {
        return FileChannel.open(
                file, StandardOpenOption.CREATE_NEW, StandardOpenOption.SPARSE, StandardOpenOption.WRITE);
    }

    private static ByteBuffer little(int bytes) {
        return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }
}
