package dev.lory.worker;

import dev.lory.format.TensorSource;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.TreeSet;

/** Names a model by its tensors' names, types and shapes: what an adapter must fit. Reading all weights would delay every start. */
final class ModelDigest {
    private ModelDigest() {}

    static String of(TensorSource source) {
        try {
            MessageDigest sha = MessageDigest.getInstance("SHA-256");
            for (String name : new TreeSet<>(source.names())) {
                sha.update((name + source.info(name)).getBytes(StandardCharsets.UTF_8));
            }
            return HexFormat.of().formatHex(sha.digest());
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }
}
