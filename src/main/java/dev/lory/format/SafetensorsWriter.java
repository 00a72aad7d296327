package dev.lory.format;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.SequencedMap;

/** Writes a safetensors file of matrices in F32, one tensor after the other in the order of its header. */
public final class SafetensorsWriter implements AutoCloseable {
    /** Data begins at a multiple of this, so that a mapped file can be read in place. */
    private static final int ALIGNMENT = 8;

    private final OutputStream out;

    /**
     * Writes the header.
     *
     * @param shapes rows and columns by name
     */
    public SafetensorsWriter(Path file, SequencedMap<String, Shape> shapes) throws IOException {
        out = new BufferedOutputStream(Files.newOutputStream(file), 1 << 16);
        byte[] header = header(shapes).getBytes(StandardCharsets.UTF_8);
        int padding = (ALIGNMENT - header.length % ALIGNMENT) % ALIGNMENT;
        out.write(ByteBuffer.allocate(Long.BYTES)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(header.length + padding)
                .array());
        out.write(header);
        out.write(" ".repeat(padding).getBytes(StandardCharsets.UTF_8));
    }

    /** Of a matrix. */
    public record Shape(int rows, int cols) {}

    private static String header(Map<String, Shape> shapes) {
        ObjectNode header = new ObjectMapper().createObjectNode();
        header.putObject("__metadata__").put("format", "pt"); // without it transformers refuses the file
        long at = 0;
        for (Map.Entry<String, Shape> entry : shapes.entrySet()) {
            Shape shape = entry.getValue();
            long end = at + (long) Float.BYTES * shape.rows() * shape.cols();
            ObjectNode tensor = header.putObject(entry.getKey()).put("dtype", "F32");
            tensor.putArray("shape").add(shape.rows()).add(shape.cols());
            tensor.putArray("data_offsets").add(at).add(end);
            at = end;
        }
        return header.toString();
    }

    /** Appends values: the next tensor, or the next of its rows. */
    public void write(float[] values) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(Float.BYTES * Math.min(values.length, 1 << 14))
                .order(ByteOrder.LITTLE_ENDIAN);
        for (float value : values) {
            bytes.putFloat(value);
            if (!bytes.hasRemaining()) {
                out.write(bytes.array());
                bytes.clear();
            }
        }
        out.write(bytes.array(), 0, bytes.position());
    }

    @Override
    public void close() throws IOException {
        out.close();
    }
}
