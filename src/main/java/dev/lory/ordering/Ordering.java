package dev.lory.ordering;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * An ordering file as mistral.rs defined it; what the file leaves out is empty here.
 *
 * @param order LoRA: the adapters active at first. X-LoRA: position i is class i of the classifier
 * @param layers path of a linear, as PEFT spells it, to its index on the layer axis of X-LoRA's scalings; in the file's order
 * @param baseModelId the base the adapters were trained for
 * @param preloadAdapters adapters to load but not to activate
 */
public record Ordering(
        @JsonProperty("order") List<String> order,
        @JsonProperty("layers") Map<String, Integer> layers,
        @JsonProperty("base_model_id") String baseModelId,
        @JsonProperty("preload_adapters") List<PreloadAdapter> preloadAdapters) {

    public Ordering {
        order = List.copyOf(order);
        layers = Collections.unmodifiableMap(new LinkedHashMap<>(layers));
        preloadAdapters = List.copyOf(preloadAdapters);
    }

    /**
     * @param name what requests call it
     * @param adapterModelId its PEFT folder, relative to the adapters root
     */
    public record PreloadAdapter(
            @JsonProperty("name") String name,
            @JsonProperty("adapter_model_id") String adapterModelId) {}
}
