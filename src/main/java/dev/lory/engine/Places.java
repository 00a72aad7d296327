package dev.lory.engine;

import dev.lory.adapter.AdapterSetKey;
import java.util.HashMap;
import java.util.Map;

/**
 * Places to wait. Nobody may take so many that others find none: an adapter set that has {@code q} gets another one only while more than
 * {@code q / 8} are free (dynamic thresholds, Choudhury and Hahne, IEEE/ACM Transactions on Networking 6(2), 1998). One set alone thus fills
 * eight ninths of a large queue, two sets eight seventeenths each. Any thread may call.
 */
final class Places {
    private static final int SHARE = 8;

    private final int max;
    private final Map<AdapterSetKey, Integer> taken = new HashMap<>();
    private int total;

    Places(int max) {
        this.max = max;
    }

    /** @return whether there was one */
    synchronized boolean take(AdapterSetKey set) {
        int own = taken.getOrDefault(set, 0);
        if (own >= (long) SHARE * (max - total)) {
            return false;
        }
        taken.put(set, own + 1);
        total++;
        return true;
    }

    synchronized void leave(AdapterSetKey set) {
        taken.computeIfPresent(set, (same, own) -> own > 1 ? own - 1 : null);
        total--;
    }
}
