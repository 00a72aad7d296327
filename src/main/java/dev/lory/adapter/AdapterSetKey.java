package dev.lory.adapter;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
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

    static AdapterSetKey of(List<AdapterSet.Member> members) {
        String text = members.stream()
                .map(member -> member.digest() + "*" + Float.toHexString(member.weight()))
                .sorted()
                .collect(Collectors.joining("+"));
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.US_ASCII));
            return new AdapterSetKey(HexFormat.of().formatHex(digest));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }
}
