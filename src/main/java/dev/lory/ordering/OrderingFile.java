package dev.lory.ordering;

import static dev.lory.error.ErrorCode.INVALID_ORDERING;
import static dev.lory.error.Finding.error;
import static dev.lory.ordering.JsonTree.child;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import dev.lory.error.Finding;
import dev.lory.error.ServiceException;
import dev.lory.ordering.Ordering.PreloadAdapter;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** Reads an ordering file: what is wrong in itself is found all at once; keys it does not know are left alone, as mistral.rs does. */
public final class OrderingFile {
    private final List<Finding> findings = new ArrayList<>();

    private OrderingFile() {}

    /** @throws ServiceException {@code INVALID_ORDERING} with every finding in {@code findings} */
    public static Ordering parse(byte[] content) {
        OrderingFile file = new OrderingFile();
        Optional<Ordering> ordering = file.tree(content).map(file::read);
        refuseErrors(file.findings);
        return ordering.orElseThrow(() -> new AssertionError("a file that is no object has a finding"));
    }

    /** All that {@link #parse} would refuse it for; empty = nothing. */
    public static List<Finding> findings(byte[] content) {
        OrderingFile file = new OrderingFile();
        file.tree(content).ifPresent(file::read);
        return List.copyOf(file.findings);
    }

    /** Throws if a finding is an error, with all of them. */
    public static void refuseErrors(List<Finding> findings) {
        Finding.refuseErrors(INVALID_ORDERING, "the ordering file", findings);
    }

    private Ordering read(JsonNode root) {
        String base = baseModelId(root);
        List<String> order = order(field(root, "order"));
        Map<String, Integer> layers = layers(field(root, "layers"));
        List<PreloadAdapter> preload = preload(field(root, "preload_adapters"), Set.copyOf(order));
        return new Ordering(order, layers, base, preload);
    }

    /** The object that the file is; empty, and a finding, if it is none. */
    private Optional<JsonNode> tree(byte[] content) {
        try {
            JsonNode root = JsonTree.read(content, findings);
            if (root.isMissingNode()) {
                findings.add(error("", "the file is empty, a JSON object is wanted"));
            } else if (!root.isObject()) {
                findings.add(error("", "the file is " + type(root) + ", a JSON object is wanted"));
            } else {
                return Optional.of(root);
            }
        } catch (JsonProcessingException e) {
            String where = e.getLocation() == null
                    ? ""
                    : " at line " + e.getLocation().getLineNr() + ", column "
                            + e.getLocation().getColumnNr();
            findings.add(error("", "the file is not JSON" + where + ": " + e.getOriginalMessage()));
        } catch (IOException e) {
            findings.add(error("", "the file is not JSON: " + e.getMessage()));
        }
        return Optional.empty();
    }

    private static Optional<JsonNode> field(JsonNode root, String name) {
        return Optional.ofNullable(root.get(name)).filter(value -> !value.isNull());
    }

    private String baseModelId(JsonNode root) {
        Optional<JsonNode> id = field(root, "base_model_id");
        if (id.isEmpty()) {
            findings.add(error("base_model_id", "base_model_id is required"));
            return "";
        }
        return text(id.get(), "base_model_id");
    }

    private List<String> order(Optional<JsonNode> node) {
        List<String> names = new ArrayList<>();
        for (JsonNode value : elements(node, "order", "an array of strings")) {
            String path = child("order", names.size());
            String name = name(value, path);
            if (!name.isEmpty() && names.contains(name)) {
                findings.add(error(path, "order names `" + name + "` twice"));
            }
            names.add(name);
        }
        return names;
    }

    private List<PreloadAdapter> preload(Optional<JsonNode> node, Set<String> ordered) {
        List<PreloadAdapter> adapters = new ArrayList<>();
        Set<String> names = new HashSet<>();
        for (JsonNode value : elements(node, "preload_adapters", "an array of objects")) {
            String path = child("preload_adapters", adapters.size());
            if (!value.isObject()) {
                findings.add(
                        error(path, path + " must be an object with name and adapter_model_id but is " + type(value)));
            }
            String namePath = child(path, "name");
            String name =
                    member(value, path, "name").map(it -> name(it, namePath)).orElse("");
            String idPath = child(path, "adapter_model_id");
            String id = member(value, path, "adapter_model_id")
                    .map(it -> text(it, idPath))
                    .orElse("");
            if (!name.isEmpty() && !names.add(name)) {
                findings.add(error(namePath, "preload_adapters names `" + name + "` twice"));
            } else if (!name.isEmpty() && ordered.contains(name)) {
                findings.add(error(namePath, "`" + name + "` is in order and in preload_adapters"));
            }
            adapters.add(new PreloadAdapter(name, id));
        }
        return adapters;
    }

    private Optional<JsonNode> member(JsonNode object, String path, String key) {
        Optional<JsonNode> value = field(object, key);
        if (value.isEmpty() && object.isObject()) {
            findings.add(error(child(path, key), child(path, key) + " is required"));
        }
        return value;
    }

    private Map<String, Integer> layers(Optional<JsonNode> node) {
        Map<String, Integer> layers = new LinkedHashMap<>();
        if (node.isEmpty()) {
            return layers;
        }
        if (!node.get().isObject()) {
            findings.add(error("layers", "layers must be an object of path and index but is " + type(node.get())));
            return layers;
        }
        Map<Integer, String> owners = new HashMap<>();
        for (Map.Entry<String, JsonNode> layer : node.get().properties()) {
            String path = child("layers", layer.getKey());
            JsonNode value = layer.getValue();
            if (!value.isIntegralNumber() || !value.canConvertToInt() || value.intValue() < 0) {
                findings.add(error(path, "the index must be an integer of at least 0 but is " + value));
                continue;
            }
            String owner = owners.putIfAbsent(value.intValue(), layer.getKey());
            if (owner != null) {
                findings.add(error(path, "index " + value + " stands twice, `" + owner + "` has it already"));
            }
            layers.put(layer.getKey(), value.intValue());
        }
        denseIndices(node.get().size(), owners.keySet());
        return layers;
    }

    /** Indices are rows of the classifier's layer axis, so n layers have 0 to n - 1. */
    private void denseIndices(int count, Set<Integer> indices) {
        List<Integer> beyond =
                indices.stream().filter(index -> index >= count).sorted().toList();
        if (!beyond.isEmpty()) {
            List<Integer> missing = new ArrayList<>();
            for (int index = 0; index < count; index++) {
                if (!indices.contains(index)) {
                    missing.add(index);
                }
            }
            findings.add(error(
                    "layers",
                    "the indices of " + count + " layers must be 0 to " + (count - 1) + "; missing: " + missing
                            + ", beyond: " + beyond));
        }
    }

    private Iterable<JsonNode> elements(Optional<JsonNode> node, String path, String wanted) {
        if (node.isPresent() && !node.get().isArray()) {
            findings.add(error(path, path + " must be " + wanted + " but is " + type(node.get())));
            return List.of();
        }
        return node.map(array -> (Iterable<JsonNode>) array).orElse(List.of());
    }

    private String name(JsonNode value, String path) {
        String name = text(value, path);
        if (!name.isEmpty()) {
            AdapterNames.fault(name).ifPresent(fault -> findings.add(error(path, path + " " + fault)));
        }
        return name;
    }

    private String text(JsonNode value, String path) {
        if (!value.isTextual()) {
            findings.add(error(path, path + " must be a string but is " + type(value)));
            return "";
        }
        if (value.textValue().isBlank()) {
            findings.add(error(path, path + " is empty"));
            return "";
        }
        return value.textValue();
    }

    private static String type(JsonNode node) {
        return switch (node.getNodeType()) {
            case ARRAY -> "an array";
            case BOOLEAN -> "a boolean";
            case NULL -> "null";
            case NUMBER -> "a number";
            case OBJECT, POJO -> "an object";
            case STRING, BINARY -> "a string";
            case MISSING -> "nothing";
        };
    }
}
