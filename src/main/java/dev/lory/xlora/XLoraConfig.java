package dev.lory.xlora;

import static dev.lory.error.ErrorCode.INVALID_ADAPTER;

import com.fasterxml.jackson.databind.JsonNode;
import dev.lory.error.ServiceException;
import dev.lory.format.JsonFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What an X-LoRA package says of itself: {@code xlora_config.json} of the {@code xlora} package, or {@code adapter_config.json} with
 * {@code peft_type} XLORA. Defaults are those of the package that writes the file.
 *
 * @param baseModelId {@code base_model_id}, PEFT's {@code base_model_name_or_path}; empty if it says nothing
 * @param adapters where each adapter's folder was, by name; the path is its name where the file has names only
 * @param layerwise whether sites have scalings of their own
 * @param network the classifier's linears
 */
record XLoraConfig(
        Path file,
        String baseModelId,
        int hiddenSize,
        Map<String, String> adapters,
        boolean layerwise,
        Network network,
        XLoraSettings settings) {
    static final String XLORA = "xlora_config.json";
    static final String PEFT = "adapter_config.json";

    /**
     * How the classifier is built, and what its tensors are called.
     *
     * @param depth linears
     * @param size outputs of all but the last
     * @param apart from one linear's number to the next's, since ReLU and dropout are counted, too
     */
    record Network(boolean peft, int depth, int size, boolean bias, boolean relu, int apart) {
        private static final String INFIX = "internal_xlora_classifier.";

        /** The end of the name of a linear's tensor. */
        String tensor(int linear, String kind) {
            if (peft) {
                return INFIX + "layers." + linear * apart + "." + kind;
            }
            return (linear == depth - 1 ? "last." : "inner." + linear * apart + ".") + kind;
        }

        /** Whether a tensor of the file is meant to be the classifier's. */
        boolean isOwn(String tensor) {
            return !peft || tensor.contains(INFIX);
        }
    }

    /** Whether a folder is an X-LoRA package, rather than an adapter. */
    static boolean isIn(Path folder) {
        if (Files.isRegularFile(folder.resolve(XLORA))) {
            return true;
        }
        try {
            return Files.isRegularFile(folder.resolve(PEFT)) && isPeft(JsonFile.read(folder.resolve(PEFT)));
        } catch (ServiceException e) {
            return false; // whoever reads adapters says what is wrong with it
        }
    }

    private static boolean isPeft(JsonFile json) {
        return json.get("peft_type")
                .filter(type -> type.asText().equals("XLORA"))
                .isPresent();
    }

    /** @throws ServiceException {@code INVALID_ADAPTER} naming file and field */
    static XLoraConfig read(Path folder) {
        Path own = folder.resolve(XLORA);
        try {
            boolean peft = !Files.isRegularFile(own);
            return read(JsonFile.read(peft ? folder.resolve(PEFT) : own), peft);
        } catch (ServiceException e) {
            throw new ServiceException(INVALID_ADAPTER, e.detail(), e.members());
        }
    }

    private static XLoraConfig read(JsonFile json, boolean peft) {
        int depth = json.count("xlora_depth", 1);
        boolean relu = peft || json.flag("enable_relu_and_dropout", true);
        boolean dropout = relu && (!peft || json.number("xlora_dropout_p", 0.2) > 0);
        Network network = new Network(
                peft,
                depth,
                json.count("xlora_size", 2048),
                peft || json.flag("use_bias", true),
                relu,
                dropout ? 3 : relu ? 2 : 1);
        return new XLoraConfig(
                json.path(),
                json.text(peft ? "base_model_name_or_path" : "base_model_id").orElse(""),
                json.count("hidden_size"),
                adapters(json),
                json.flag("layerwise_scalings", false),
                network,
                settings(json));
    }

    private static XLoraSettings settings(JsonFile json) {
        double temperature = json.number("softmax_temperature", 1);
        if (!(temperature > 0)) {
            throw json.invalid("softmax_temperature is " + temperature + " but must be above 0");
        }
        return new XLoraSettings(
                json.flag("enable_softmax", true),
                json.flag("enable_softmax_topk", false),
                temperature,
                json.get("top_k_lora").isPresent() ? json.count("top_k_lora") : 0,
                json.number("scaling_pass_value", 0),
                json.number("global_scaling_weight", 1),
                0);
    }

    private static Map<String, String> adapters(JsonFile json) {
        Map<String, String> adapters = new LinkedHashMap<>();
        JsonNode value = json.get("adapters").orElseThrow(() -> json.invalid("has no adapters"));
        if (value.isArray()) {
            json.texts("adapters").forEach(name -> adapters.put(name, name));
        } else if (value.isObject()) {
            value.properties()
                    .forEach(entry ->
                            adapters.put(entry.getKey(), entry.getValue().asText()));
        }
        if (adapters.isEmpty()) {
            throw json.wrong("adapters", value, "a list of names, or an object of names and folders");
        }
        return adapters;
    }
}
