package dev.lory.worker;

import dev.lory.error.ErrorCode;
import dev.lory.error.ServiceException;

/**
 * How long a sequence may be, and how many blocks there are for keys and values.
 *
 * @param maxModelLen tokens of prompt and output together
 * @param blocks of {@link #BLOCK_SIZE} positions
 * @param leftBytes what they and the weights leave free
 */
record KvPlan(int maxModelLen, int blocks, long leftBytes) {
    static final int BLOCK_SIZE = 16;

    /** What is taken where the longest sequence needs less: room for several short ones. */
    private static final long USUAL_BYTES = 256L << 20;

    /** Left for the heap, activations, adapters and the database; half of what there is where that is less. */
    private static final long RESERVE = 512L << 20;

    /**
     * What there is to plan with.
     *
     * @param modelLen tokens of the longest sequence the model is made for
     * @param blockBytes of a block of all layers
     * @param freeBytes of the device before the weights are loaded
     * @param weightBytes that they will take
     */
    record Given(int modelLen, long blockBytes, long freeBytes, long weightBytes) {
        /** Bytes that one sequence needs. */
        long needed(int tokens) {
            long blocks = Math.ceilDiv(tokens, BLOCK_SIZE);
            return blocks > Long.MAX_VALUE / blockBytes ? Long.MAX_VALUE : blocks * blockBytes;
        }

        private long left() {
            return freeBytes - weightBytes;
        }

        /** Half of what is left and not reserved. */
        private long share() {
            return (left() - Math.min(RESERVE, left() / 2)) / 2;
        }
    }

    /**
     * The plan for what was configured.
     *
     * @param wantedLen tokens; 0 = as many of the model's as fit
     * @param wantedBytes for keys and values; 0 = by what is free
     * @throws ServiceException {@code INVALID_CONFIGURATION} naming the flag and both numbers if something does not fit
     */
    static KvPlan of(Given given, int wantedLen, long wantedBytes) {
        if (wantedLen > given.modelLen) {
            throw refused("--max-model-len is " + wantedLen + " but the model was trained for " + given.modelLen
                    + " positions");
        }
        if (given.left() < 0) {
            throw refused("the weights need " + given.weightBytes + " bytes but " + given.freeBytes
                    + " of memory are free; another --dtype may take less");
        }
        if (wantedBytes > given.left()) {
            throw refused("--kv-cache is " + wantedBytes + " bytes but " + given.left()
                    + " of memory are free beside the weights");
        }
        long budget = wantedBytes > 0 ? wantedBytes : given.share();
        int fits = (int) Math.min(budget / given.blockBytes * BLOCK_SIZE, given.modelLen);
        int len = wantedLen > 0 ? wantedLen : fits;
        if (len == 0 || len > fits) {
            throw refused((len == 0 ? "the shortest sequence" : "--max-model-len is " + len + ", which") + " needs "
                    + given.needed(Math.max(len, 1)) + " bytes of keys and values but "
                    + (wantedBytes > 0
                            ? "--kv-cache is " + wantedBytes
                            : budget + " of memory may be used for them unless --kv-cache says otherwise"));
        }
        long bytes = wantedBytes > 0 ? wantedBytes : Math.max(given.needed(len), Math.min(USUAL_BYTES, budget));
        int blocks = (int) Math.min(bytes / given.blockBytes, Integer.MAX_VALUE / BLOCK_SIZE);
        return new KvPlan(len, blocks, given.left() - blocks * given.blockBytes);
    }

    private static ServiceException refused(String detail) {
        return new ServiceException(ErrorCode.INVALID_CONFIGURATION, detail);
    }
}
