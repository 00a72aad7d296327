package dev.lory.format;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.IntUnaryOperator;

/** Writes small F32 GGUF files for tests. */
final class GgufFileWriter {
    private final ByteArrayOutputStream pairs = new ByteArrayOutputStream();
    private final ByteArrayOutputStream infos = new ByteArrayOutputStream();
    private final ByteArrayOutputStream data = new ByteArrayOutputStream();
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

    GgufFileWriter string(String key, String value) {
        pair(key, 8);
        text(pairs, value);
        return this;
    }

    GgufFileWriter u32(String key, int value) {
        pair(key, 4);
        pairs.writeBytes(little(4).putInt(value).array());
        return this;
    }

    GgufFileWriter f32(String key, float value) {
        pair(key, 6);
        pairs.writeBytes(little(4).putFloat(value).array());
        return this;
    }

    /** @param dims the fastest first, as GGUF has them */
    GgufFileWriter tensor(String name, List<Integer> dims, IntUnaryOperator values) {
        text(infos, name);
        infos.writeBytes(little(4).putInt(dims.size()).array());
        dims.forEach(dim -> infos.writeBytes(little(8).putLong(dim).array()));
        infos.writeBytes(little(4).putInt(0).array());
        pad(data);
        infos.writeBytes(little(8).putLong(data.size()).array());
        int count = dims.stream().reduce(1, Math::multiplyExact);
        for (int i = 0; i < count; i++) {
            data.writeBytes(little(4).putFloat(values.applyAsInt(i)).array());
        }
        tensorCount++;
        return this;
    }

    Path write(Path path) throws IOException {
        ByteArrayOutputStream file = new ByteArrayOutputStream();
        file.writeBytes("GGUF".getBytes(StandardCharsets.UTF_8));
        file.writeBytes(
                little(20).putInt(3).putLong(tensorCount).putLong(pairCount).array());
        file.writeBytes(pairs.toByteArray());
        file.writeBytes(infos.toByteArray());
        pad(file);
        file.writeBytes(data.toByteArray());
        return Files.write(path, file.toByteArray());
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

    private static void pad(ByteArrayOutputStream out) {
        while (out.size() % 32 != 0) {
            out.write(0);
        }
    }

    private static ByteBuffer little(int bytes) {
        return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }
}
