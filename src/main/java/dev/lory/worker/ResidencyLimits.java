package dev.lory.worker;

import static dev.lory.error.ErrorCode.INVALID_CONFIGURATION;

import dev.lory.error.ServiceException;

/**
 * How much of the device adapters may take. What does not fit stays on disk, and is fetched when a request names it.
 *
 * @param maxLoras on the device at the same time; 0 = any number
 * @param maxBytes of them together; 0 = half of what weights and KV cache leave free
 */
public record ResidencyLimits(int maxLoras, long maxBytes) {
    /** As many as fit. */
    public static final ResidencyLimits DEFAULT = new ResidencyLimits(0, 0);

    public ResidencyLimits {
        if (maxLoras < 0 || maxBytes < 0) {
            throw new ServiceException(
                    INVALID_CONFIGURATION,
                    "--max-loras and --max-lora-bytes must be at least 0, but they are " + maxLoras + " and "
                            + maxBytes);
        }
    }

    /** With bytes of one's own where none were configured. */
    ResidencyLimits orBytes(long bytes) {
        return maxBytes > 0 ? this : new ResidencyLimits(maxLoras, bytes);
    }
}
