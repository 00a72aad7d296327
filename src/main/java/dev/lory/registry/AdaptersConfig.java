package dev.lory.registry;

import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;

/** The adapters and the ordering file to start with. */
@ConfigMapping(prefix = "lory")
public interface AdaptersConfig {
    /** An ordering file to upload at start; absent = none. */
    Optional<Path> order();

    /** Adapters to register at start: name to PEFT folder, anywhere on this machine. */
    Map<String, String> adapter();

    Adapters adapters();

    /** Where adapters lie. */
    interface Adapters {
        /**
         * The folder that relative sources start from and that clients may not leave; at start each of its sub-folders with an
         * adapter_config.json is registered under its name.
         */
        @WithDefault("models")
        Path root();

        /** Where adapters are kept that are uploaded; services on one database share it. */
        @WithDefault("${lory.data:.lory}/adapters")
        Path uploads();
    }
}
