package dev.lory.worker;

import dev.lory.digest.Sha256;
import dev.lory.format.TensorSource;
import java.util.stream.Collectors;

/** Names a model by its tensors' names, types and shapes: what an adapter must fit. Reading all weights would delay every start. */
final class ModelDigest {
    private ModelDigest() {}

    static String of(TensorSource source) {
        return Sha256.hex(source.names().stream()
                .sorted()
                .map(name -> name + source.info(name))
                .collect(Collectors.joining()));
    }
}
