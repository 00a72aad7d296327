package dev.lory.api.openai;

import static dev.lory.error.ServiceException.invalid;

import com.fasterxml.jackson.databind.JsonNode;
import dev.lory.error.ErrorCode;
import dev.lory.error.ServiceException;
import dev.lory.registry.Alias;
import dev.lory.worker.GenerationRequest.WeightedAdapter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Which adapters a request runs with: by {@code model}, by Lory's {@code adapters}, or by the fields of mistral.rs ({@code adapter}),
 * SGLang ({@code lora_path}), LoRAX ({@code adapter_id}, {@code merged_adapters}) and llama.cpp ({@code lora}).
 */
final class AdapterSelection {
    private final Fields body;
    private final Served served;
    private final String id;
    /** Each selection that the request makes, by the field that makes it. */
    private final Map<String, List<WeightedAdapter>> selections = new LinkedHashMap<>();
    /** {@code model} is an alias with several targets: nothing else may agree with it by chance. */
    private boolean split;

    private AdapterSelection(Fields body, Served served, String id) {
        this.body = body;
        this.served = served;
        this.id = id;
    }

    /**
     * @param id of the request; what an alias picks by if there is no {@code user}
     * @throws ServiceException {@code MODEL_NOT_FOUND}, {@code ADAPTER_NOT_FOUND}, {@code ADAPTER_SELECTION_CONFLICT} if two fields
     *     disagree, {@code INVALID_REQUEST}
     */
    static List<WeightedAdapter> of(Fields body, Served served, String id) {
        return new AdapterSelection(body, served, id).select();
    }

    private List<WeightedAdapter> select() {
        byModel();
        body.get("adapters").ifPresent(value -> put("adapters", weighted("adapters", "name", "weight")));
        byGeneration();
        for (String field : List.of("adapter", "lora_path", "adapter_id")) {
            body.get(field)
                    .filter(value -> !value.isObject())
                    .flatMap(value -> body.text(field))
                    .ifPresent(name -> put(field, List.of(known(name, field, 1))));
        }
        body.object("merged_adapters").ifPresent(merged -> put("merged_adapters", merged(merged)));
        body.get("lora").ifPresent(value -> put("lora", weighted("lora", "id", "scale")));
        List<WeightedAdapter> first = served.active();
        String by = "";
        for (Map.Entry<String, List<WeightedAdapter>> selection : selections.entrySet()) {
            if (by.isEmpty()) {
                by = selection.getKey();
                first = selection.getValue();
            } else if (split || !first.equals(selection.getValue())) {
                throw new ServiceException(
                        ErrorCode.ADAPTER_SELECTION_CONFLICT,
                        by + " selects " + (split ? "one of several targets" : names(first)) + " but "
                                + selection.getKey() + " selects " + names(selection.getValue()),
                        Map.of("param", selection.getKey()));
            }
        }
        return first;
    }

    private void put(String field, List<WeightedAdapter> adapters) {
        selections.put(field, adapters);
    }

    private static String names(List<WeightedAdapter> adapters) {
        return adapters.isEmpty()
                ? "the base model"
                : String.join(
                        " + ",
                        adapters.stream()
                                .map(adapter -> adapter.weight() == 1
                                        ? adapter.name()
                                        : adapter.weight() + "·" + adapter.name())
                                .toList());
    }

    /** Base model, adapter, alias, {@code base:adapter} or {@code base::adapter}. */
    private void byModel() {
        String model = body.text("model").orElse(served.model());
        if (model.equals(served.model())) {
            return;
        }
        Optional<Alias> alias = served.alias(model);
        if (alias.isPresent()) {
            put("model", picked(alias.get()));
            return;
        }
        String adapter = served.named(model);
        if (!served.adapters().contains(adapter)) {
            throw new ServiceException(
                    ErrorCode.MODEL_NOT_FOUND,
                    "the model `" + model + "` does not exist; GET /v1/models lists those that do",
                    Map.of("param", "model"));
        }
        put("model", List.of(new WeightedAdapter(adapter, 1)));
    }

    private List<WeightedAdapter> picked(Alias alias) {
        split = alias.targets().size() > 1;
        String user = body.text("user").orElse("");
        return (user.isEmpty() ? alias.forRequest(id) : alias.forUser(user)).adapters();
    }

    /** mistral.rs: {@code "adapter": {"generation": "…"}}. */
    private void byGeneration() {
        body.get("adapter").filter(JsonNode::isObject).ifPresent(value -> {
            String generation =
                    body.element(value, "adapter").text("generation").orElse("");
            String name = served.generations().get(generation);
            if (name == null) {
                throw new ServiceException(
                        ErrorCode.ADAPTER_NOT_FOUND,
                        "no adapter has the generation `" + generation
                                + "`; GET /v1/lora_adapters lists those that are there",
                        Map.of("param", "adapter.generation"));
            }
            put("adapter", List.of(new WeightedAdapter(name, 1)));
        });
    }

    private WeightedAdapter known(String name, String field, float weight) {
        if (!served.adapters().contains(name)) {
            throw new ServiceException(
                    ErrorCode.ADAPTER_NOT_FOUND, "the adapter `" + name + "` does not exist", Map.of("param", field));
        }
        return new WeightedAdapter(name, weight);
    }

    /** An array of names or of objects; llama.cpp's ids are numbers: positions in the list of adapters. */
    private List<WeightedAdapter> weighted(String field, String nameField, String weightField) {
        List<WeightedAdapter> adapters = new ArrayList<>();
        for (JsonNode element : body.list(field)) {
            String path = field + "[" + adapters.size() + "]";
            if (element.isTextual()) {
                adapters.add(known(element.textValue(), field, 1));
                continue;
            }
            Fields object = body.element(element, path);
            float[] weight = {1};
            object.number(weightField, value -> weight[0] = value);
            adapters.add(known(name(object, nameField), field, weight[0]));
        }
        return adapters;
    }

    private String name(Fields object, String field) {
        JsonNode name = object.get(field)
                .or(() -> object.get("name"))
                .orElseThrow(() -> invalid(object.path(field), object.path(field) + " is missing"));
        if (name.isInt()
                && name.intValue() >= 0
                && name.intValue() < served.adapters().size()) {
            return served.adapters().get(name.intValue());
        }
        if (!name.isTextual()) {
            throw object.wrong(field, "the name of an adapter", name);
        }
        return name.textValue();
    }

    /** LoRAX: {@code {"ids": […], "weights": […], "merge_strategy": "linear"}}. */
    private List<WeightedAdapter> merged(Fields merged) {
        String strategy = merged.text("merge_strategy").orElse("linear");
        if (!strategy.equals("linear")) {
            throw invalid(
                    merged.path("merge_strategy"),
                    merged.path("merge_strategy") + " must be linear in a request but is " + strategy
                            + "; POST /api/v1/adapters with these merged_adapters makes an adapter of them");
        }
        List<JsonNode> ids = merged.list("ids");
        List<JsonNode> weights = merged.list("weights");
        if (!weights.isEmpty() && weights.size() != ids.size()) {
            throw invalid(
                    merged.path("weights"),
                    merged.path("weights") + " has " + weights.size() + " entries for " + ids.size() + " ids");
        }
        List<WeightedAdapter> adapters = new ArrayList<>();
        for (int i = 0; i < ids.size(); i++) {
            if (!ids.get(i).isTextual()) {
                throw merged.wrong("ids[" + i + "]", "the name of an adapter", ids.get(i));
            }
            float weight = weights.isEmpty() ? 1 : merged.number(weights.get(i), "weights[" + i + "]");
            adapters.add(known(ids.get(i).textValue(), merged.path("ids"), weight));
        }
        return adapters;
    }
}
