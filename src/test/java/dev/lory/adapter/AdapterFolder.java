package dev.lory.adapter;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.lory.format.SafetensorsSource;
import dev.lory.tensor.Tensor;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;

/** An adapter folder of the fixtures, changed and written elsewhere. */
final class AdapterFolder {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final ObjectNode config;
    private final Map<String, float[][]> tensors = new LinkedHashMap<>();

    /** @param original for example {@code llama/adapters/math} below {@code fixtures/models} */
    AdapterFolder(String original) throws IOException {
        Path folder = Path.of("src/test/resources/fixtures/models").resolve(original);
        config = (ObjectNode) JSON.readTree(Files.readAllBytes(folder.resolve("adapter_config.json")));
        try (SafetensorsSource source = SafetensorsSource.open(folder.resolve("adapter_model.safetensors"))) {
            for (String name : source.names()) {
                Tensor tensor = source.tensor(name);
                tensors.put(
                        name,
                        IntStream.range(0, tensor.rows()).mapToObj(tensor::row).toArray(float[][]::new));
            }
        }
    }

    AdapterFolder config(Consumer<ObjectNode> change) {
        change.accept(config);
        return this;
    }

    AdapterFolder config(String field, String json) throws IOException {
        config.set(field, JSON.readTree(json));
        return this;
    }

    AdapterFolder rename(UnaryOperator<String> change) {
        Map<String, float[][]> renamed = new LinkedHashMap<>();
        tensors.forEach((name, rows) -> renamed.put(change.apply(name), rows));
        tensors.clear();
        tensors.putAll(renamed);
        return this;
    }

    AdapterFolder remove(String ending) {
        tensors.keySet().removeIf(name -> name.contains(ending));
        return this;
    }

    AdapterFolder add(String name, int rows, int cols, float value) {
        float[][] values = new float[rows][cols];
        for (float[] row : values) {
            Arrays.fill(row, value);
        }
        tensors.put(name, values);
        return this;
    }

    List<String> names() {
        return List.copyOf(tensors.keySet());
    }

    Path write(Path folder) throws IOException {
        Files.createDirectories(folder);
        Files.writeString(folder.resolve("adapter_config.json"), config.toString());
        ObjectNode header = JSON.createObjectNode();
        int end = 0;
        for (Map.Entry<String, float[][]> tensor : tensors.entrySet()) {
            int rows = tensor.getValue().length;
            int cols = tensor.getValue()[0].length;
            ObjectNode entry = header.putObject(tensor.getKey()).put("dtype", "F32");
            entry.putArray("shape").add(rows).add(cols);
            entry.putArray("data_offsets").add(end).add(end + 4 * rows * cols);
            end += 4 * rows * cols;
        }
        byte[] json = header.toString().getBytes(StandardCharsets.UTF_8);
        ByteBuffer bytes = ByteBuffer.allocate(8 + json.length + end).order(ByteOrder.LITTLE_ENDIAN);
        bytes.putLong(json.length).put(json);
        for (float[][] rows : tensors.values()) {
            for (float[] row : rows) {
                for (float value : row) {
                    bytes.putFloat(value);
                }
            }
        }
        Files.write(folder.resolve("adapter_model.safetensors"), bytes.array());
        return folder;
    }
}
