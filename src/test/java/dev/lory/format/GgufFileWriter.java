package dev.lory.format;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntUnaryOperator;

/** Writes F32 GGUF files for tests: small ones, or large ones that are mostly holes. */
public final class GgufFileWriter {
    private record Piece(long offset, ByteBuffer bytes) {}

    private final ByteArrayOutputStream pairs = new ByteArrayOutputStream();
    private final ByteArrayOutputStream infos = new ByteArrayOutputStream();
    private final List<Piece> data = new ArrayList<>();
    private long dataBytes;
    private int pairCount;
    private int tensorCount;

    /** The metadata of a llama. */
    GgufFileWriter llama(int layers, int hidden, int inner, int heads, int kvHeads) {
        return model("llama", layers, hidden, inner, heads, kvHeads);
    }

    GgufFileWriter model(String architecture, int layers, int hidden, int inner, int heads, int kvHeads) {
        return string("general.architecture", architecture)
                .u32(architecture + ".block_count", layers)
                .u32(architecture + ".context_length", 64)
                .u32(architecture + ".embedding_length", hidden)
                .u32(architecture + ".feed_forward_length", inner)
                .u32(architecture + ".attention.head_count", heads)
                .u32(architecture + ".attention.head_count_kv", kvHeads)
                .f32(architecture + ".attention.layer_norm_rms_epsilon", 1e-5f);
    }

    /** Its weights, all zero, with a tied head and a vocabulary of 4. */
    GgufFileWriter linears(int layers, int hidden, int queries, int keys, int inner) {
        tensor("token_embd.weight", List.of(hidden, 4), index -> 0);
        tensor("output_norm.weight", List.of(hidden), index -> 0);
        for (int layer = 0; layer < layers; layer++) {
            String block = "blk." + layer + ".";
            tensor(block + "attn_norm.weight", List.of(hidden), index -> 0);
            tensor(block + "ffn_norm.weight", List.of(hidden), index -> 0);
            tensor(block + "attn_q.weight", List.of(hidden, queries), index -> 0);
            tensor(block + "attn_k.weight", List.of(hidden, keys), index -> 0);
            tensor(block + "attn_v.weight", List.of(hidden, keys), index -> 0);
            tensor(block + "attn_output.weight", List.of(queries, hidden), index -> 0);
            tensor(block + "ffn_gate.weight", List.of(hidden, inner), index -> 0);
            tensor(block + "ffn_up.weight", List.of(hidden, inner), index -> 0);
            tensor(block + "ffn_down.weight", List.of(inner, hidden), index -> 0);
        }
        return this;
    }

    public GgufFileWriter string(String key, String value) {
        pair(key, 8);
        text(pairs, value);
        return this;
    }

    public GgufFileWriter u32(String key, int value) {
        pair(key, 4);
        pairs.writeBytes(little(4).putInt(value).array());
        return this;
    }

    public GgufFileWriter flag(String key, boolean value) {
        pair(key, 7);
        pairs.write(value ? 1 : 0);
        return this;
    }

    public GgufFileWriter strings(String key, List<String> values) {
        array(key, 8, values.size());
        values.forEach(value -> text(pairs, value));
        return this;
    }

    public GgufFileWriter i32s(String key, int[] values) {
        array(key, 5, values.length);
        for (int value : values) {
            pairs.writeBytes(little(4).putInt(value).array());
        }
        return this;
    }

    public GgufFileWriter f32s(String key, float[] values) {
        array(key, 6, values.length);
        for (float value : values) {
            pairs.writeBytes(little(4).putFloat(value).array());
        }
        return this;
    }

    private void array(String key, int type, int count) {
        pair(key, 9);
        pairs.writeBytes(little(12).putInt(type).putLong(count).array());
    }

    GgufFileWriter f32(String key, float value) {
        pair(key, 6);
        pairs.writeBytes(little(4).putFloat(value).array());
        return this;
    }

    /** @param dims the fastest first, as GGUF has them */
    GgufFileWriter tensor(String name, List<Integer> dims, IntUnaryOperator values) {
        int count = dims.stream().reduce(1, Math::multiplyExact);
        ByteBuffer bytes = little(4 * count);
        for (int i = 0; i < count; i++) {
            bytes.putFloat(values.applyAsInt(i));
        }
        return add(name, dims, bytes.flip());
    }

    /** A tensor of zeros that takes no room on the disk. */
    GgufFileWriter hole(String name, List<Integer> dims) {
        return add(name, dims, little(0));
    }

    private GgufFileWriter add(String name, List<Integer> dims, ByteBuffer bytes) {
        long offset = padded(dataBytes);
        text(infos, name);
        infos.writeBytes(little(4).putInt(dims.size()).array());
        dims.forEach(dim -> infos.writeBytes(little(8).putLong(dim).array()));
        infos.writeBytes(little(4).putInt(0).array());
        infos.writeBytes(little(8).putLong(offset).array());
        data.add(new Piece(offset, bytes));
        dataBytes = offset + 4 * dims.stream().mapToLong(Integer::longValue).reduce(1, Math::multiplyExact);
        tensorCount++;
        return this;
    }

    public Path write(Path path) throws IOException {
        ByteArrayOutputStream head = new ByteArrayOutputStream();
        head.writeBytes("GGUF".getBytes(StandardCharsets.UTF_8));
        head.writeBytes(
                little(20).putInt(3).putLong(tensorCount).putLong(pairCount).array());
        head.writeBytes(pairs.toByteArray());
        head.writeBytes(infos.toByteArray());
        long start = padded(head.size());
        try (FileChannel file = FileChannel.open(
                path, StandardOpenOption.CREATE_NEW, StandardOpenOption.SPARSE, StandardOpenOption.WRITE)) {
            file.write(ByteBuffer.wrap(head.toByteArray()));
            file.write(little(1), start + dataBytes - 1);
            for (Piece piece : data) {
                file.write(piece.bytes, start + piece.offset);
            }
        }
        return path;
    }

    private void pair(String key, int type) {
        text(pairs, key);
        pairs.writeBytes(little(4).putInt(type).array());
        pairCount++;
    }

    private static void text(ByteArrayOutputStream out, String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        out.writeBytes(little(8).putLong(bytes.length).array());
        out.writeBytes(bytes);
    }

    private static long padded(long size) {
        return (size + 31) / 32 * 32;
    }

    private static ByteBuffer little(int bytes) {
        return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }
}
