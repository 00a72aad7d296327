package dev.lory.model;

import dev.lory.format.ModelSource;
import dev.lory.kernel.Backend;
import dev.lory.model.arch.Architectures;
import java.nio.file.Path;

/** Models of the fixtures for tests that compute nothing with them: one row at a time. */
public final class Decoders {
    private Decoders() {}

    /** The model in a folder or file. */
    public static Decoder load(Path model, Backend backend) {
        try (ModelSource source = ModelSource.open(model)) {
            return DecoderLoader.load(Architectures.spec(source.config()), source.tensors(), backend, 1, 1);
        }
    }
}
