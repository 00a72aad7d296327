package dev.lory.engine;

import dev.lory.adapter.AdapterSetKey;
import dev.lory.digest.Sha256;
import java.nio.charset.StandardCharsets;
import java.security.DigestException;
import java.security.MessageDigest;
import java.util.Arrays;

/**
 * The KV blocks: reference counts, a free list, and an index by content. A full block is found again by SHA-256 over its parent's hash
 * and its tokens; the first parent is the {@link AdapterSetKey}, so sequences with other adapters never meet. A block that nobody
 * references keeps its content until the free list, oldest first, comes to it. A published block is never written.
 */
final class BlockPool {
    /** Longs of a hash. */
    private static final int WORDS = 4;

    private static final int NONE = -1;

    private final int blockSize;
    private final int[] references;
    private final boolean[] published;
    private final long[] hashes;
    /** The free list, oldest release first: neighbours of each block, the last entry is the list's own. */
    private final int[] previous;

    private final int[] next;
    private final int[] buckets;
    private final int[] chain;
    private final MessageDigest sha;
    private final byte[] message;
    private final byte[] digest = new byte[WORDS * Long.BYTES];
    private int free;

    BlockPool(int blocks, int blockSize) {
        this.blockSize = blockSize;
        references = new int[blocks];
        published = new boolean[blocks];
        hashes = new long[blocks * WORDS];
        previous = new int[blocks + 1];
        next = new int[blocks + 1];
        buckets = new int[Math.max(1, Integer.highestOneBit(blocks) * 2)];
        chain = new int[blocks];
        message = new byte[digest.length + blockSize * Integer.BYTES];
        sha = Sha256.digest();
        Arrays.fill(buckets, NONE);
        next[blocks] = blocks;
        previous[blocks] = blocks;
        for (int block = 0; block < blocks; block++) {
            append(block);
        }
    }

    int blocks() {
        return references.length;
    }

    int blockSize() {
        return blockSize;
    }

    /** Blocks that can be reserved. */
    int free() {
        return free;
    }

    int references(int block) {
        return references[block];
    }

    /**
     * What a sequence's first block has as its parent.
     *
     * @param rotation the rotary angles its keys are rotated by
     */
    static long[] root(AdapterSetKey key, int rotation) {
        long[] words = new long[WORDS];
        words(Sha256.digest().digest((key.hex() + '/' + rotation).getBytes(StandardCharsets.US_ASCII)), words, 0);
        return words;
    }

    /**
     * Finds the leading full blocks of {@code tokens} that are there already, references them and puts them into the table. The last
     * token is never found: a row must be left to sample from.
     *
     * @return how many blocks were found
     */
    int lookup(long[] root, int[] tokens, int count, int[] table) {
        int found = 0;
        long[] parent = root;
        long[] hash = new long[WORDS];
        while ((found + 1) * blockSize < count) {
            hash(parent, 0, tokens, found * blockSize, hash, 0);
            int block = find(hash, 0);
            if (block == NONE) {
                break;
            }
            if (references[block]++ == 0) {
                unlink(block);
            }
            table[found++] = block;
            parent = hash;
        }
        return found;
    }

    /** Takes a free block, forgetting what it held; -1 if there is none. */
    int reserve() {
        int sentinel = references.length;
        int block = next[sentinel];
        if (block == sentinel) {
            return NONE;
        }
        unlink(block);
        if (published[block]) {
            forget(block);
        }
        references[block] = 1;
        return block;
    }

    /** Gives one reference back. */
    void release(int block) {
        if (--references[block] == 0) {
            append(block);
        }
    }

    /**
     * Makes a full block findable. If another block holds the same content already, that one stays the findable one.
     *
     * @param hash receives the block's hash: the parent of the next one
     */
    void publish(int block, long[] parent, int[] tokens, int from, long[] hash) {
        hash(parent, 0, tokens, from, hash, 0);
        if (published[block] || find(hash, 0) != NONE) {
            return;
        }
        System.arraycopy(hash, 0, hashes, block * WORDS, WORDS);
        int bucket = bucket(hash, 0);
        chain[block] = buckets[bucket];
        buckets[bucket] = block;
        published[block] = true;
    }

    private void forget(int block) {
        int bucket = bucket(hashes, block * WORDS);
        if (buckets[bucket] == block) {
            buckets[bucket] = chain[block];
        } else {
            int at = buckets[bucket];
            while (chain[at] != block) {
                at = chain[at];
            }
            chain[at] = chain[block];
        }
        published[block] = false;
    }

    private int find(long[] hash, int at) {
        int block = buckets[bucket(hash, at)];
        while (block != NONE && !Arrays.equals(hashes, block * WORDS, (block + 1) * WORDS, hash, at, at + WORDS)) {
            block = chain[block];
        }
        return block;
    }

    private int bucket(long[] hash, int at) {
        return (int) hash[at] & buckets.length - 1;
    }

    private void hash(long[] parent, int at, int[] tokens, int from, long[] out, int to) {
        int p = 0;
        for (int i = 0; i < WORDS; i++) {
            p = put(parent[at + i], Long.BYTES, p);
        }
        for (int i = 0; i < blockSize; i++) {
            p = put(tokens[from + i], Integer.BYTES, p);
        }
        sha.update(message, 0, p);
        try {
            sha.digest(digest, 0, digest.length);
        } catch (DigestException e) {
            throw new IllegalStateException(e);
        }
        words(digest, out, to);
    }

    private int put(long value, int bytes, int at) {
        for (int i = 0; i < bytes; i++) {
            message[at + i] = (byte) (value >>> 8 * i);
        }
        return at + bytes;
    }

    private static void words(byte[] bytes, long[] out, int to) {
        for (int i = 0; i < WORDS; i++) {
            long word = 0;
            for (int b = 0; b < Long.BYTES; b++) {
                word = word << 8 | bytes[i * Long.BYTES + b] & 0xFF;
            }
            out[to + i] = word;
        }
    }

    private void append(int block) {
        int sentinel = references.length;
        int last = previous[sentinel];
        next[last] = block;
        previous[block] = last;
        next[block] = sentinel;
        previous[sentinel] = block;
        free++;
    }

    private void unlink(int block) {
        next[previous[block]] = next[block];
        previous[next[block]] = previous[block];
        free--;
    }
}
