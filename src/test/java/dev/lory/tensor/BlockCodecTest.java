package dev.lory.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Blocks of every type, with random, zero, negative and subnormal scales, against the floats that gguf-py makes of them. */
final class BlockCodecTest {
    private static final Path BLOCKS = Path.of("src/test/resources/fixtures/blocks");
    private static final Path ENCODED = BLOCKS.resolve("encoded");

    /** The types that have blocks in the folder. */
    static List<DType> types() throws IOException {
        return types(BLOCKS);
    }

    /** The types that gguf-py has quantised the same floats to. */
    static List<DType> encodedTypes() throws IOException {
        return types(ENCODED);
    }

    private static List<DType> types(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(file -> file.getFileName().toString())
                    .filter(name -> name.endsWith(".blocks.bin"))
                    .map(name -> DType.valueOf(name.substring(0, name.indexOf('.'))))
                    .sorted()
                    .toList();
        }
    }

    @Test
    void everyTypeHasBlocksToBeComparedWith() throws IOException {
        assertThat(types()).containsExactly(DType.values());
        assertThat(encodedTypes()).containsExactly(DType.F16, DType.BF16, DType.Q4_0, DType.Q8_0);
    }

    @ParameterizedTest
    @MethodSource("types")
    void decodesToTheSameBitsAsTheReference(DType dtype) throws IOException {
        float[] expected = floats(BLOCKS.resolve(dtype + ".f32.bin"));
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
    @MethodSource("types")
    void decodesTheRowThatIsAskedFor(DType dtype) throws IOException {
        float[] expected = floats(BLOCKS.resolve(dtype + ".f32.bin"));
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

    @ParameterizedTest
    @MethodSource("encodedTypes")
    void encodesToTheSameBytesAsTheReference(DType dtype) throws IOException {
        float[] values = floats(ENCODED.resolve("values.f32.bin"));
        try (Arena arena = Arena.ofConfined()) {
            Tensor tensor = Tensor.allocate(arena, dtype, 1, values.length);
            tensor.encodeRow(0, values);
            assertThat(tensor.storage().toArray(ValueLayout.JAVA_BYTE))
                    .isEqualTo(Files.readAllBytes(ENCODED.resolve(dtype + ".blocks.bin")));
        }
    }

    @Test
    void saysThatATypeIsOnlyRead() {
        try (Arena arena = Arena.ofConfined()) {
            Tensor tensor = Tensor.allocate(arena, DType.Q6_K, 1, 256);
            assertThatThrownBy(() -> tensor.encodeRow(0, new float[256]))
                    .hasMessage("blocks of Q6_K can be read but not written");
        }
    }

    private static float[] floats(Path file) throws IOException {
        ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
        float[] floats = new float[bytes.remaining() / 4];
        bytes.asFloatBuffer().get(floats);
        return floats;
    }
}
