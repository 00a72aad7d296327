package dev.lory.ordering;

import static dev.lory.error.ServiceException.invalid;

import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Makes an ordering file as {@code create_ordering.py} of mistral.rs does, from the names of a model's linears. */
public final class OrderingGenerator {
    private OrderingGenerator() {}

    /**
     * Numbers the linears that adapters change, in definition order: the rows on the layer axis of X-LoRA's scalings.
     *
     * @param linearSites every linear of the model, in definition order
     * @param targets as PEFT's {@code target_modules}: paths, or ends of paths at a dot
     * @param adapters {@code order}; for X-LoRA as they were named in training
     * @throws dev.lory.error.ServiceException {@code INVALID_REQUEST} naming a target that no linear has, and those there are;
     *     {@code INVALID_ORDERING} for names that cannot be
     */
    public static Ordering generate(
            Collection<String> linearSites, String baseModelId, List<String> targets, List<String> adapters) {
        if (targets.isEmpty()) {
            throw invalid("target_modules", "target_modules is empty; the model has " + modules(linearSites));
        }
        for (String target : targets) {
            if (linearSites.stream().noneMatch(site -> isTarget(site, target))) {
                throw invalid(
                        "target_modules",
                        "no linear of the model is called `" + target + "`; it has " + modules(linearSites));
            }
        }
        Map<String, Integer> layers = new LinkedHashMap<>();
        for (String site : linearSites) {
            if (targets.stream().anyMatch(target -> isTarget(site, target))) {
                layers.put(site, layers.size());
            }
        }
        Ordering made = new Ordering(adapters, layers, baseModelId, List.of());
        return OrderingFile.parse(OrderingText.write(made));
    }

    private static boolean isTarget(String site, String target) {
        return site.equals(target) || site.endsWith("." + target);
    }

    /** The last parts of the paths. */
    private static List<String> modules(Collection<String> sites) {
        Set<String> names = new LinkedHashSet<>();
        sites.forEach(site -> names.add(site.substring(site.lastIndexOf('.') + 1)));
        return new ArrayList<>(names);
    }
}
