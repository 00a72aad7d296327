package dev.lory.kernel.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lory.tensor.DType;
import dev.lory.tensor.Layouts;
import dev.lory.tensor.Tensor;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

final class PackedWeightTest {
    private static final Path BLOCKS = Path.of("src/test/resources/fixtures/blocks");

    @ParameterizedTest
    @EnumSource(DType.class)
    void holdsEveryValueAsTheFileHasIt(DType dtype) throws IOException {
        try (Arena arena = Arena.ofShared()) {
            Tensor source = blocks(arena, dtype);
            PackedWeight packed = PackedWeight.of(source, new WeightMemory());
            MemorySegment decoded = arena.allocate(4L * source.cols(), 4);
            for (int row = 0; row < source.rows(); row++) {
                packed.decode(row, decoded.address());
                float[] expected = source.row(row);
                for (int col = 0; col < expected.length; col++) {
                    // equal but for the sign of a zero
                    float actual = decoded.get(Layouts.FLOAT, 4L * col);
                    assertThat(actual == expected[col])
                            .as("%s[%d, %d] is %s, expected %s", dtype, row, col, actual, expected[col])
                            .isTrue();
                }
            }
            packed.area().free();
        }
    }

    /** The reference blocks of a type as a matrix whose last group of 16 rows is not full. */
    private static Tensor blocks(Arena arena, DType dtype) throws IOException {
        byte[] bytes = Files.readAllBytes(BLOCKS.resolve(dtype + ".blocks.bin"));
        MemorySegment storage = arena.allocate(bytes.length);
        MemorySegment.copy(bytes, 0, storage, ValueLayout.JAVA_BYTE, 0, bytes.length);
        int rows = dtype.blockLength() == 1 ? 8 : 24;
        return new Tensor(dtype, rows, bytes.length / dtype.blockBytes() * dtype.blockLength() / rows, storage);
    }
}
