package dev.lory.ordering;

import dev.lory.error.Finding;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** Holds an ordering file against the model that is served. */
public final class OrderingValidator {
    private static final Pattern IN_LAYER = Pattern.compile("(.*?\\blayers)\\.(\\d+)\\.(.+)");

    /** As mistral.rs lists the modules of Llama and of Phi-3, which is the order of neither in transformers. */
    private static final List<String> LISTED = List.of(
            "self_attn.q_proj",
            "self_attn.k_proj",
            "self_attn.v_proj",
            "self_attn.qkv_proj",
            "self_attn.o_proj",
            "mlp.up_proj",
            "mlp.gate_up_proj",
            "mlp.down_proj",
            "mlp.gate_proj");

    private OrderingValidator() {}

    /**
     * Errors for layers the model does not have, in mistral.rs' words where the module is not supported; warnings for another base id, since
     * the same base is known by many, and for indices not in definition order.
     *
     * @param linearSites every linear of the model, in definition order
     * @param servedModel what requests call the model
     * @return all findings; empty = fits
     */
    public static List<Finding> validate(Ordering ordering, Collection<String> linearSites, String servedModel) {
        List<Finding> findings = new ArrayList<>();
        if (!ordering.baseModelId().equals(servedModel)) {
            findings.add(Finding.warning(
                    "base_model_id",
                    "the file is for `" + ordering.baseModelId() + "`, the served model is called `" + servedModel
                            + "`"));
        }
        Set<String> sites = new LinkedHashSet<>(linearSites);
        for (String path : ordering.layers().keySet()) {
            if (!sites.contains(path)) {
                findings.add(Finding.error(JsonTree.child("layers", path), unknown(path, sites)));
            }
        }
        if (findings.stream().noneMatch(finding -> finding.severity() == Finding.Severity.ERROR)) {
            definitionOrder(ordering.layers(), sites, findings);
        }
        return findings;
    }

    private static String unknown(String path, Set<String> sites) {
        List<String> modules =
                sites.stream().map(OrderingValidator::module).distinct().toList();
        if (modules.stream().anyMatch(path::endsWith)) {
            long layers = sites.stream()
                    .map(IN_LAYER::matcher)
                    .filter(Matcher::matches)
                    .map(site -> site.group(2))
                    .distinct()
                    .count();
            return "the model has no `" + path + "`; its " + layers + " layers are `" + prefix(sites) + ".0` to `"
                    + prefix(sites) + "." + (layers - 1) + "`";
        }
        String supported = modules.stream()
                .sorted(Comparator.comparingInt(OrderingValidator::listed))
                .map(module -> '"' + module + '"')
                .collect(Collectors.joining(", ", "[", "]"));
        return "Got a layer name `" + path + "` in the ordering, expected it to end with one of " + supported;
    }

    /** Modules that mistral.rs does not list come after those it does, as the model defines them, the head last. */
    private static int listed(String module) {
        int index = LISTED.indexOf(module);
        return index < 0 ? LISTED.size() : index;
    }

    private static String module(String site) {
        Matcher inLayer = IN_LAYER.matcher(site);
        return inLayer.matches() ? inLayer.group(3) : site;
    }

    private static String prefix(Set<String> sites) {
        return sites.stream()
                .map(IN_LAYER::matcher)
                .filter(Matcher::matches)
                .map(site -> site.group(1))
                .findFirst()
                .orElse("model.layers");
    }

    /** The classifier's rows were numbered by walking the model; another order means another model, or a file put together by hand. */
    private static void definitionOrder(Map<String, Integer> layers, Set<String> sites, List<Finding> findings) {
        List<String> byDefinition = sites.stream().filter(layers::containsKey).toList();
        List<String> byIndex = layers.entrySet().stream()
                .sorted(Map.Entry.comparingByValue())
                .map(Map.Entry::getKey)
                .toList();
        for (int index = 0; index < byIndex.size(); index++) {
            if (!byIndex.get(index).equals(byDefinition.get(index))) {
                findings.add(Finding.warning(
                        JsonTree.child("layers", byIndex.get(index)),
                        "index " + index + " is `" + byIndex.get(index) + "`, in the model's definition order it is `"
                                + byDefinition.get(index) + "`"));
                return;
            }
        }
    }
}
