package dev.lory.engine;

import dev.lory.adapter.AdapterSetKey;
import java.util.Arrays;

/** One walk of a sequence through the decoder, with KV blocks of its own. */
final class Pass {
    final Sequence sequence;
    private final AdapterSetKey key;
    /** The rotary angles of all that is in the cache. */
    private int rotation;

    private long[] root;
    /** Hash of the last published block, the parent of the next. */
    private final long[] parent;

    private int[] table = new int[16];
    private int blocks;
    private int publishedBlocks;
    private int computed;

    Pass(Sequence sequence, AdapterSetKey key) {
        this.sequence = sequence;
        this.key = key;
        this.root = BlockPool.root(key, 0);
        this.parent = root.clone();
    }

    /** Tokens whose keys and values are in the cache. */
    int computed() {
        return computed;
    }

    /** Tokens that could be computed now. */
    int ready() {
        return sequence.length() - computed;
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
        root = BlockPool.root(key, wanted);
        return true;
    }

    /** Takes over what the pool has of the prompt; for a pass that has nothing yet. @return tokens found */
    int reuse(BlockPool pool) {
        // Rows that are to be scored must be computed.
        int reusable = sequence.scored < sequence.promptLength ? 0 : sequence.length();
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
        while ((publishedBlocks + 1) * pool.blockSize() <= computed) {
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
