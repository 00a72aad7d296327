package dev.lory.worker;

import dev.lory.xlora.XLoraOverrides;

/**
 * What a request wants of an X-LoRA.
 *
 * @param overrides where it is to be otherwise than it is set
 * @param scalings what is told
 */
public record XLoraOptions(XLoraOverrides overrides, Detail scalings) {
    /** As it is set, and nothing told. */
    public static final XLoraOptions NONE = new XLoraOptions(XLoraOverrides.NONE, Detail.NONE);

    /** How much is told of the scalings. */
    public enum Detail {
        /** Nothing. */
        NONE,
        /** The mean of each adapter over sites and tokens. */
        SUMMARY,
        /** Of every token, site and adapter. */
        FULL
    }

    /** Whether scalings are told. */
    boolean traced() {
        return scalings != Detail.NONE;
    }
}
