package dev.lory.engine;

import dev.lory.adapter.AdapterSet;
import java.util.Arrays;

/**
 * One walk of a sequence through the decoder, with KV blocks of its own: the main one, or the one before it in which X-LoRA finds out what its
 * adapters count.
 */
final class Pass {
    final Sequence sequence;
    final AdapterSet adapters;
    private final boolean scaling;
    /** The rotary angles of all that is in the cache. */
    private int rotation;

    private long[] root;
    /** Hash of the last published block, the parent of the next. */
    private final long[] parent;

    private int[] table = new int[16];
    private int blocks;
    private int publishedBlocks;
    private int computed;

    Pass(Sequence sequence, AdapterSet adapters, boolean scaling) {
        this.sequence = sequence;
        this.adapters = adapters;
        this.scaling = scaling;
        this.root = BlockPool.root(adapters.key(), 0);
        this.parent = root.clone();
    }

    /** Tokens whose keys and values are in the cache. */
    int computed() {
        return computed;
    }

    /** Tokens that could be computed now. */
    int ready() {
        int length = sequence.length();
        if (scaling) {
            return sequence.gates.isComplete(length) ? 0 : Math.min(length, sequence.gates.freeze()) - computed;
        }
        return Math.min(length, sequence.gates.known()) - computed;
    }

    /** Whether what its adapters count is another for each token. */
    boolean isGated() {
        return !scaling && sequence.passes() > 1;
    }

    /** Whether it only finds out what adapters count. */
    boolean isScaling() {
        return scaling;
    }

    int[] table() {
        return table;
    }

    int blocks() {
        return blocks;
    }

    int rotation() {
        return rotation;
    }

    /** Goes over to other rotary angles: what was computed with the old ones is of no use. @return whether they are others */
    boolean rotate(BlockPool pool, int wanted) {
        if (wanted == rotation) {
            return false;
        }
        release(pool);
        rotation = wanted;
        root = BlockPool.root(adapters.key(), wanted);
        return true;
    }

    /**
     * Takes over what the pool has of the tokens; for a pass that has nothing yet.
     *
     * @param limit of these tokens, but for the last, which gives something that is needed
     * @return tokens found
     */
    int reuse(BlockPool pool, int limit) {
        // Rows that are to be scored must be computed, and so must scalings that are to be told.
        boolean all = sequence.scored < sequence.promptLength || sequence.isTraced();
        int reusable = all ? 0 : Math.min(limit, sequence.length());
        ensure(reusable / pool.blockSize() + 1);
        blocks = pool.lookup(root, sequence.tokens(), reusable, table);
        computed = blocks * pool.blockSize();
        publishedBlocks = 0;
        System.arraycopy(root, 0, parent, 0, parent.length);
        for (int i = 0; i < blocks; i++) {
            publish(pool);
        }
        return computed;
    }

    /** Reserves the blocks for {@code count} more tokens. @return whether there were enough; what was reserved stays reserved */
    boolean reserve(BlockPool pool, int count) {
        int wanted = Math.ceilDiv(computed + count, pool.blockSize());
        ensure(wanted);
        while (blocks < wanted) {
            int block = pool.reserve();
            if (block < 0) {
                return false;
            }
            table[blocks++] = block;
        }
        return true;
    }

    /** {@code count} more tokens are in the cache; full blocks become findable. */
    void advance(BlockPool pool, int count) {
        computed += count;
        // what was computed with the scalings of an earlier token is of no use to others
        int common = Math.min(computed, sequence.gates.freeze());
        while ((publishedBlocks + 1) * pool.blockSize() <= common) {
            publish(pool);
        }
    }

    private void publish(BlockPool pool) {
        int from = publishedBlocks * pool.blockSize();
        pool.publish(table[publishedBlocks++], parent, sequence.tokens(), from, parent);
    }

    /** Gives all blocks back; the pass starts anew. */
    void release(BlockPool pool) {
        // The last first, so that the beginnings, which others share, are the last to be forgotten.
        for (int i = blocks - 1; i >= 0; i--) {
            pool.release(table[i]);
        }
        blocks = 0;
        computed = 0;
    }

    private void ensure(int wanted) {
        if (wanted > table.length) {
            table = Arrays.copyOf(table, Math.max(wanted, 2 * table.length));
        }
    }
}
