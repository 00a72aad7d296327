package dev.lory.api;

import io.smallrye.config.ConfigMapping;
import java.util.Map;
import java.util.Optional;

/** Who may ask. */
@ConfigMapping(prefix = "lory")
public interface KeysConfig {
    /** For generating, and without {@link #adminKey} for administration; absent = nobody is asked for one. */
    Optional<String> apiKey();

    /** For administration. */
    Optional<String> adminKey();

    /** More keys for generating, by tenant. */
    Map<String, String> apiKeys();
}
