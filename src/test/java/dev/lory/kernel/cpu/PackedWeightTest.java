package dev.lory.kernel.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lory.kernel.Samples;
import dev.lory.tensor.DType;
import dev.lory.tensor.Layouts;
import dev.lory.tensor.Tensor;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

final class PackedWeightTest {
    private static final Path BLOCKS = Path.of("src/test/resources/fixtures/blocks");
    private static final Set<DType> BIASED = Set.of(DType.Q4_0, DType.Q5_0);

    @ParameterizedTest
    @EnumSource(DType.class)
    void holdsEveryValueAsTheFileHasIt(DType dtype) throws IOException {
        try (Arena arena = Arena.ofShared()) {
            assertHolds(blocks(arena, dtype), arena);
        }
    }

    @ParameterizedTest
    @EnumSource(DType.class)
    void holdsAnyBlocks(DType dtype) {
        try (Arena arena = Arena.ofShared()) {
            assertHolds(new Samples(4).weight(dtype, 37, 768), arena);
        }
    }

    @ParameterizedTest
    @CsvSource({"Q4_K, 2368", "Q5_K, 4416", "Q6_K, 4416", "Q3_K, 4416", "Q5_1, 4608", "Q2_K, 16384"})
    void takesSoManyBytesForSixteenRowsOf256(DType dtype, long bytes) {
        assertThat(PackedWeight.bytes(dtype, 16, 256)).isEqualTo(bytes);
    }

    private static void assertHolds(Tensor source, Arena arena) {
        PackedWeight packed = PackedWeight.of(source, new WeightMemory());
        MemorySegment decoded = arena.allocate(4L * source.cols(), 4);
        for (int row = 0; row < source.rows(); row++) {
            packed.decode(row, decoded.address());
            float[] expected = source.row(row);
            for (int col = 0; col < expected.length; col++) {
                float actual = decoded.get(Layouts.FLOAT, 4L * col);
                // Q4_0 and Q5_0 say d·(q − bias), the file d·q − bias·d: a zero may have the other sign
                boolean same = Float.floatToIntBits(actual) == Float.floatToIntBits(expected[col]);
                assertThat(same || actual == 0 && expected[col] == 0 && BIASED.contains(source.dtype()))
                        .as("%s[%d, %d] is %s, expected %s", source.dtype(), row, col, actual, expected[col])
                        .isTrue();
            }
        }
        packed.area().free();
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
