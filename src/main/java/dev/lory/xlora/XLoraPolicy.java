package dev.lory.xlora;

import static dev.lory.error.ErrorCode.INVALID_CONFIGURATION;

import dev.lory.error.ServiceException;

/**
 * How X-LoRAs are taken where packages and requests are silent.
 *
 * @param ordering the ordering file of packages that bring none; empty = they are refused
 * @param anyBase whether a package may be for another {@code base_model_id} than its ordering file, which is then a warning
 * @param nonGranularIndex {@code tgt_non_granular_index} of all of them; 0 = every token has its own scalings
 * @param maxNonGranular sequences with such an index at the same time, others wait; 0 = any number
 */
public record XLoraPolicy(String ordering, boolean anyBase, int nonGranularIndex, int maxNonGranular) {
    /** As packages say. */
    public static final XLoraPolicy DEFAULT = new XLoraPolicy("", false, 0, 0);

    public XLoraPolicy {
        if (nonGranularIndex < 0 || maxNonGranular < 0) {
            throw new ServiceException(
                    INVALID_CONFIGURATION,
                    "--tgt-non-granular-index and --max-non-granular-seqs must be at least 0, but they are "
                            + nonGranularIndex + " and " + maxNonGranular);
        }
    }

    /** What is otherwise than packages say. */
    public XLoraOverrides overrides() {
        return nonGranularIndex == 0 ? XLoraOverrides.NONE : XLoraOverrides.nonGranular(nonGranularIndex);
    }
}
