package dev.lory.api.admin;

import com.fasterxml.jackson.databind.PropertyNamingStrategies.SnakeCaseStrategy;
import com.fasterxml.jackson.databind.annotation.JsonNaming;
import dev.lory.adapter.MergeStrategy;
import dev.lory.adapter.MergeStrategy.MajoritySign;
import dev.lory.registry.AdapterService.Mixture;
import dev.lory.worker.GenerationRequest.WeightedAdapter;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.eclipse.microprofile.openapi.annotations.media.Schema;

/** The {@code merged_adapters} of LoRAX's requests, of which a stored adapter is made here. */
@Schema(name = "MergedAdapters")
@JsonNaming(SnakeCaseStrategy.class)
record MixtureBody(
        @Schema(description = "Registered adapters") List<String> ids,

        @Schema(description = "One for each, 1 if left out") List<Double> weights,

        @Schema(
                description = "linear is the exact sum of the updates",
                enumeration = {"linear", "ties", "dare_linear", "dare_ties"})
        String mergeStrategy,

        @Schema(description = "The share of values that stays, more than 0 and at most 1; required unless linear")
        double density,

        @Schema(enumeration = {"total", "frequency"}) String majoritySignMethod,

        @Schema(description = "Of what is dropped at random, 0 if left out")
        long seed) {
    private static final Set<String> FIELDS =
            Set.of("ids", "weights", "merge_strategy", "density", "majority_sign_method", "seed");

    /** Reads field {@code merged_adapters}. */
    static Mixture read(StrictBody request) {
        StrictBody body = request.object("merged_adapters", FIELDS).orElseThrow();
        MergeStrategy strategy = body.word("merge_strategy", MergeStrategy.class, MergeStrategy.LINEAR);
        double density = body.number("density", strategy.drops() ? 0 : 1);
        if (!(density > 0 && density <= 1)) {
            throw body.refused("density", "must be more than 0 and at most 1 with this merge_strategy");
        }
        return new Mixture(
                adapters(body, strategy),
                strategy,
                density,
                body.word("majority_sign_method", MajoritySign.class, MajoritySign.TOTAL),
                (long) body.number("seed", 0));
    }

    private static List<WeightedAdapter> adapters(StrictBody body, MergeStrategy strategy) {
        List<String> ids = body.names("ids");
        List<Double> weights = body.has("weights")
                ? body.numbers("weights")
                : ids.stream().map(id -> 1.0).toList();
        if (ids.isEmpty() || Set.copyOf(ids).size() != ids.size()) {
            throw body.refused("ids", ids.isEmpty() ? "names no adapter" : "names an adapter twice");
        }
        if (weights.size() != ids.size()) {
            throw body.refused("weights", "has " + weights.size() + " entries for " + ids.size() + " ids");
        }
        List<WeightedAdapter> adapters = new ArrayList<>();
        for (int i = 0; i < ids.size(); i++) {
            float weight = weights.get(i).floatValue();
            if (!Float.isFinite(weight) || strategy.drops() && weight < 0) {
                throw body.refused(
                        "weights[" + i + "]", "must be a number, and not negative unless merge_strategy is linear");
            }
            adapters.add(new WeightedAdapter(ids.get(i), weight));
        }
        return adapters;
    }
}
