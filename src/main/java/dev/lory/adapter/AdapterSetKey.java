package dev.lory.adapter;

import dev.lory.digest.Sha256;
import java.util.List;
import java.util.stream.Collectors;

/**
 * What a set of adapters computes, as a digest: SHA-256 over content digests and weights, sorted, because a sum has no order. Names do
 * not enter, so a reload under the same name never meets old cache entries.
 *
 * @param hex empty for the base model
 */
public record AdapterSetKey(String hex) {
    public static final AdapterSetKey BASE = new AdapterSetKey("");

    /** Of what is not a sum: anything that says all there is to it. */
    public static AdapterSetKey ofContent(String text) {
        return new AdapterSetKey(Sha256.hex(text));
    }

    static AdapterSetKey of(List<AdapterSet.Member> members) {
        String text = members.stream()
                .map(member -> member.digest() + "*" + Float.toHexString(member.weight()))
                .sorted()
                .collect(Collectors.joining("+"));
        return new AdapterSetKey(Sha256.hex(text));
    }
}
