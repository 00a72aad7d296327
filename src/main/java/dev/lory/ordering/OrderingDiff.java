package dev.lory.ordering;

import com.fasterxml.jackson.annotation.JsonProperty;
import dev.lory.ordering.Ordering.PreloadAdapter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** What differs between two ordering files. */
public final class OrderingDiff {
    private OrderingDiff() {}

    /**
     * One difference.
     *
     * @param path where, such as {@code layers["model.layers.0.mlp.up_proj"]} or {@code order[1]}
     * @param before what was there; empty = nothing
     * @param after what is there now; empty = nothing
     */
    public record Change(
            @JsonProperty("path") String path,
            @JsonProperty("before") String before,
            @JsonProperty("after") String after) {}

    /** Key by key; preloaded adapters are told apart by name, for their order says nothing. */
    public static List<Change> between(Ordering before, Ordering after) {
        Map<String, String> old = facts(before);
        Map<String, String> now = facts(after);
        Set<String> paths = new LinkedHashSet<>(old.keySet());
        paths.addAll(now.keySet());
        List<Change> changes = new ArrayList<>();
        for (String path : paths) {
            String from = old.getOrDefault(path, "");
            String to = now.getOrDefault(path, "");
            if (!from.equals(to)) {
                changes.add(new Change(path, from, to));
            }
        }
        return changes;
    }

    private static Map<String, String> facts(Ordering ordering) {
        Map<String, String> facts = new LinkedHashMap<>();
        facts.put("base_model_id", ordering.baseModelId());
        for (int i = 0; i < ordering.order().size(); i++) {
            facts.put(JsonTree.child("order", i), ordering.order().get(i));
        }
        ordering.layers().forEach((layer, index) -> facts.put(JsonTree.child("layers", layer), index.toString()));
        for (PreloadAdapter adapter : ordering.preloadAdapters()) {
            facts.put("preload_adapters[" + adapter.name() + "]", adapter.adapterModelId());
        }
        return facts;
    }
}
