package dev.lory.registry;

import com.fasterxml.jackson.databind.PropertyNamingStrategies.SnakeCaseStrategy;
import com.fasterxml.jackson.databind.annotation.JsonNaming;
import dev.lory.digest.Sha256;
import dev.lory.worker.GenerationRequest.WeightedAdapter;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.List;
import java.util.stream.Collectors;

/**
 * One revision of a name for a set of adapters (a mixture), or for several sets that share its requests (a canary).
 *
 * @param revision 1, 2, ... for each name, also where the name was deleted in between
 * @param targets empty = the name was deleted
 * @param cause {@code API}, {@code ROLLBACK} or {@code DELETE}
 * @param rollbackOf the revision it is a copy of; 0 = it is none
 */
@JsonNaming(SnakeCaseStrategy.class)
public record Alias(
        String name, int revision, List<Target> targets, String cause, int rollbackOf, String actor, Instant at) {
    public Alias {
        targets = List.copyOf(targets);
    }

    /**
     * A set of adapters and how many of the requests it gets.
     *
     * @param adapters summed unmerged; empty = the base model
     * @param share relative to the shares of the other targets; 0 = none
     */
    public record Target(List<WeightedAdapter> adapters, double share) {
        public Target {
            adapters = List.copyOf(adapters);
        }

        /** The set in one spelling, whatever the order of its adapters. */
        String key() {
            return adapters.stream()
                    .map(adapter -> adapter.name() + "\n" + Float.toHexString(adapter.weight()))
                    .sorted()
                    .collect(Collectors.joining("\n"));
        }
    }

    /** The target of a user: the same each time, and another only if shares or sets change so that somebody has to move. */
    public Target forUser(String user) {
        return pick("user\n" + user);
    }

    /** The target of a request that tells no user: random, but the same for the same id. */
    public Target forRequest(String id) {
        return pick("request\n" + id);
    }

    /**
     * Weighted rendezvous hashing (Schindelhauer and Schomaker, "Weighted distributed hash tables", SPAA 2005): each target draws
     * u in (0, 1) by hash, and the highest share / -ln u wins, which happens with the probability of its share. A change of one share
     * changes one score, so it only moves those who come to that target or leave it.
     */
    private Target pick(String who) {
        Target picked = targets.getFirst();
        double best = 0;
        for (Target target : targets) {
            double score = target.share() / -StrictMath.log(uniform(name + "\n" + target.key() + "\n\n" + who));
            if (score > best) {
                best = score;
                picked = target;
            }
        }
        return picked;
    }

    private static double uniform(String text) {
        byte[] digest = Sha256.digest().digest(text.getBytes(StandardCharsets.UTF_8));
        return ((ByteBuffer.wrap(digest).getLong() >>> 11) + 0.5) * 0x1p-53;
    }
}
