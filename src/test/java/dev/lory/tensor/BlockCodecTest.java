package dev.lory.tensor;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Blocks of every type, with random, zero, negative and subnormal scales, against the floats that gguf-py makes of them. */
final class BlockCodecTest {
    private static final Path BLOCKS = Path.of("src/test/resources/fixtures/blocks");

    @ParameterizedTest
    @EnumSource(DType.class)
    void decodesToTheSameBitsAsTheReference(DType dtype) throws IOException {
        float[] expected = floats(dtype);
        byte[] blocks = Files.readAllBytes(BLOCKS.resolve(dtype + ".blocks.bin"));
        assertThat(blocks.length / dtype.blockBytes() * dtype.blockLength()).isEqualTo(expected.length);
        try (Arena arena = Arena.ofConfined()) {
            // One byte further than aligned: blocks may lie anywhere in a file.
            MemorySegment storage = arena.allocate(blocks.length + 1, 64).asSlice(1);
            MemorySegment.copy(blocks, 0, storage, ValueLayout.JAVA_BYTE, 0, blocks.length);
            float[] actual = new Tensor(dtype, 1, expected.length, storage).row(0);
            for (int i = 0; i < expected.length; i++) {
                // Bits, but for the sign of a zero: d·q+m and d·(q−8) may differ in nothing else.
                assertThat(actual[i] == expected[i]
                                || Float.floatToIntBits(actual[i]) == Float.floatToIntBits(expected[i]))
                        .as("%s element %d: %s, expected %s", dtype, i, actual[i], expected[i])
                        .isTrue();
            }
        }
    }

    @ParameterizedTest
    @EnumSource(DType.class)
    void decodesTheRowThatIsAskedFor(DType dtype) throws IOException {
        float[] expected = floats(dtype);
        int cols = 2 * dtype.blockLength();
        try (Arena arena = Arena.ofConfined()) {
            byte[] blocks = Files.readAllBytes(BLOCKS.resolve(dtype + ".blocks.bin"));
            MemorySegment storage = arena.allocate(blocks.length);
            MemorySegment.copy(blocks, 0, storage, ValueLayout.JAVA_BYTE, 0, blocks.length);
            Tensor tensor = new Tensor(dtype, expected.length / cols, cols, storage).slice(2, 3);
            for (int row = 0; row < 3; row++) {
                float[] actual = tensor.row(row);
                for (int col = 0; col < cols; col++) {
                    assertThat(actual[col] == expected[(row + 2) * cols + col]).isTrue();
                }
            }
        }
    }

    private static float[] floats(DType dtype) throws IOException {
        ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(BLOCKS.resolve(dtype + ".f32.bin")))
                .order(ByteOrder.LITTLE_ENDIAN);
        float[] floats = new float[bytes.remaining() / 4];
        bytes.asFloatBuffer().get(floats);
        return floats;
    }
}
