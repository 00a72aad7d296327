package dev.lory.worker;

import dev.lory.format.ModelConfig;
import dev.lory.format.ModelSource;
import dev.lory.model.arch.Architectures;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** The linears of a model that need not be loaded, nor even be there: its configuration is enough. */
public final class ModelSites {
    private ModelSites() {}

    /**
     * Paths as PEFT spells them, in the order in which transformers defines them.
     *
     * @param model a config.json, a folder that has one, or a .gguf file
     * @throws dev.lory.error.ServiceException {@code INVALID_CONFIGURATION}, {@code INVALID_MODEL} naming file and key
     */
    public static List<String> read(Path model) {
        Path config = Files.isDirectory(model) ? model.resolve("config.json") : model;
        if (config.toString().endsWith(".json") && Files.isRegularFile(config)) {
            return Architectures.spec(ModelConfig.read(config)).linearPaths();
        }
        try (ModelSource source = ModelSource.open(model)) {
            return Architectures.spec(source.config()).linearPaths();
        }
    }
}
