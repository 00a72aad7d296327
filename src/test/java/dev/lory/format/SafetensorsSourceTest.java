package dev.lory.format;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lory.error.ErrorCode;
import dev.lory.error.ServiceException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class SafetensorsSourceTest {
    private static final Path SHARDED = Path.of("src/test/resources/fixtures/models/llama/base");

    @TempDir
    Path folder;

    @Test
    void readsShardsThroughTheirIndex() {
        try (SafetensorsSource source = SafetensorsSource.open(SHARDED)) {
            assertThat(source.names()).hasSize(21);
            assertThat(source.tensor("model.embed_tokens.weight")).hasToString("F32[352, 64]");
            assertThat(source.tensor("model.layers.1.self_attn.k_proj.weight")).hasToString("F32[32, 64]");
            assertThat(source.tensor("model.norm.weight")).hasToString("F32[1, 64]");
        }
    }

    @Test
    void readsWhatWasWrittenInEveryType() throws IOException {
        ByteBuffer data = ByteBuffer.allocate(24).order(ByteOrder.LITTLE_ENDIAN);
        data.putFloat(1.5f).putFloat(-2);
        data.putShort(Float.floatToFloat16(0.25f)).putShort(Float.floatToFloat16(-65504));
        data.putShort((short) (Float.floatToIntBits(3) >>> 16)).putShort((short) (Float.floatToIntBits(-8) >>> 16));
        data.putLong(7);
        Path file = write("""
                {"a": {"dtype": "F32", "shape": [2, 1], "data_offsets": [0, 8]},
                 "b": {"dtype": "F16", "shape": [1, 2], "data_offsets": [8, 12]},
                 "c": {"dtype": "BF16", "shape": [2], "data_offsets": [12, 16]},
                 "d": {"dtype": "I64", "shape": [], "data_offsets": [16, 24]}}""", data.array());
        try (SafetensorsSource source = SafetensorsSource.open(file)) {
            assertThat(source.names()).containsExactly("a", "b", "c", "d");
            assertThat(source.tensor("a").row(1)).containsExactly(-2);
            assertThat(source.tensor("b").row(0)).containsExactly(0.25f, -65504);
            assertThat(source.tensor("c").row(0)).containsExactly(3, -8);
            assertThat(source.has("d")).isTrue();
            assertThatThrownBy(() -> source.tensor("d"))
                    .isInstanceOfSatisfying(
                            ServiceException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.UNSUPPORTED_DTYPE))
                    .hasMessageStartingWith(file + ": tensor d is of type I64");
        }
    }

    @Test
    void refusesATensorOfThreeDimensionsWhenItIsAskedFor() throws IOException {
        Path file = write("{\"e\": {\"dtype\": \"F32\", \"shape\": [1, 1, 2], \"data_offsets\": [0, 8]}}", new byte[8]);
        try (SafetensorsSource source = SafetensorsSource.open(file)) {
            assertThatThrownBy(() -> source.tensor("e")).hasMessageContaining("tensor e has shape [1, 1, 2]");
        }
    }

    @Test
    void namesTheTensorThatIsNotThere() {
        try (SafetensorsSource source = SafetensorsSource.open(SHARDED)) {
            assertThatThrownBy(() -> source.tensor("model.layers.9.mlp.up_proj.weight"))
                    .hasMessage(SHARDED + ": has no tensor model.layers.9.mlp.up_proj.weight");
        }
    }

    @Test
    void namesTheShardThatIsMissing() throws IOException {
        copy("model.safetensors.index.json");
        copy("model-00001-of-00002.safetensors");
        assertThatThrownBy(() -> SafetensorsSource.open(folder))
                .hasMessageContaining("model.safetensors.index.json: names the shard model-00002-of-00002.safetensors");
    }

    @Test
    void namesTheTensorThatItsShardLacks() throws IOException {
        copy("model-00001-of-00002.safetensors");
        Files.writeString(
                folder.resolve("model.safetensors.index.json"),
                "{\"weight_map\": {\"model.other.weight\": \"model-00001-of-00002.safetensors\"}}");
        assertThatThrownBy(() -> SafetensorsSource.open(folder))
                .hasMessageContaining("model-00001-of-00002.safetensors has model.other.weight, but it has not");
    }

    @Test
    void keepsShardsInsideTheFolder() throws IOException {
        Files.writeString(
                folder.resolve("model.safetensors.index.json"), "{\"weight_map\": {\"w\": \"../w.safetensors\"}}");
        assertThatThrownBy(() -> SafetensorsSource.open(folder))
                .hasMessageContaining("w is \"../w.safetensors\" but must be the name of a file beside the index");
    }

    @Test
    void refusesATensorThatTwoShardsHave() throws IOException {
        copy("model-00001-of-00002.safetensors");
        Files.copy(folder.resolve("model-00001-of-00002.safetensors"), folder.resolve("again.safetensors"));
        String index = Files.readString(SHARDED.resolve("model.safetensors.index.json"));
        Files.writeString(
                folder.resolve("model.safetensors.index.json"),
                index.replaceAll("\"[^\"]*\": \"model-00002[^,}]*,?", "")
                        .replaceFirst("(\"model.layers.*?\": )\"model-00001-of-00002", "$1\"again")
                        .replaceFirst(",\\s*}", "}"));
        assertThatThrownBy(() -> SafetensorsSource.open(folder))
                .hasMessageContaining("which model.safetensors.index.json says is in another file");
    }

    private void copy(String name) throws IOException {
        Files.copy(SHARDED.resolve(name), folder.resolve(name), StandardCopyOption.REPLACE_EXISTING);
    }

    private Path write(String header, byte[] data) throws IOException {
        byte[] json = header.getBytes(StandardCharsets.UTF_8);
        ByteBuffer file = ByteBuffer.allocate(8 + json.length + data.length).order(ByteOrder.LITTLE_ENDIAN);
        file.putLong(json.length).put(json).put(data);
        return Files.write(folder.resolve("some.safetensors"), file.array());
    }
}
