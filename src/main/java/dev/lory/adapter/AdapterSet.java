package dev.lory.adapter;

import java.util.List;

/**
 * The adapters one sequence runs with, summed unmerged.
 *
 * @param key what the cache entries of such a sequence are found by
 */
public record AdapterSet(List<Member> members, AdapterSetKey key) {
    /** No adapter: the base model. */
    public static final AdapterSet BASE = new AdapterSet(List.of(), AdapterSetKey.BASE);

    public AdapterSet {
        members = List.copyOf(members);
    }

    /** @param members each slot once */
    public static AdapterSet of(List<Member> members) {
        return members.isEmpty() ? BASE : new AdapterSet(members, AdapterSetKey.of(members));
    }

    /**
     * One adapter of a set.
     *
     * @param digest of the adapter's content, in hex
     * @param slot where its weights are
     * @param weight what its update is multiplied with
     */
    public record Member(String digest, int slot, float weight) {}
}
