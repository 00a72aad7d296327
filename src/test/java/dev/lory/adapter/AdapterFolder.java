package dev.lory.adapter;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.lory.format.SafetensorsSource;
import dev.lory.format.SafetensorsWriter;
import dev.lory.format.SafetensorsWriter.Shape;
import dev.lory.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
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
        SequencedMap<String, Shape> shapes = new LinkedHashMap<>();
        tensors.forEach((name, rows) -> shapes.put(name, new Shape(rows.length, rows[0].length)));
        try (SafetensorsWriter writer = new SafetensorsWriter(folder.resolve("adapter_model.safetensors"), shapes)) {
            for (float[][] rows : tensors.values()) {
                for (float[] row : rows) {
                    writer.write(row);
                }
            }
        }
        return folder;
    }
}
