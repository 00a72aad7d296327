package dev.lory.xlora;

import static dev.lory.error.ErrorCode.INVALID_ADAPTER;

import dev.lory.adapter.LoraWeights;
import dev.lory.error.Finding;
import dev.lory.error.ServiceException;
import dev.lory.format.SafetensorsSource;
import dev.lory.model.Decoder;
import dev.lory.model.LinearSite;
import dev.lory.ordering.Ordering;
import dev.lory.tensor.Tensor;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** Whether the parts of a package fit one another and the base: configuration, ordering, adapters, classifier. */
final class XLoraParts {
    static final String OWN = "xlora_classifier.safetensors";
    static final String PEFT = "adapter_model.safetensors";

    private static final String HEAD = "Got an adapter `lm_head` layer, this is unsupported with X-LoRA.";

    /** With the figures of docs/numerics.md. */
    private static final String FOUR_BITS =
            "the base's weights have 4 bits: unless the classifier was trained on these very values, its scalings are off."
                    + " Of the demo model's their cosine fell from 0.9998 with 8 bits to 0.98, and a quarter of the answers"
                    + " were lost";

    private final XLoraConfig config;
    private final Ordering ordering;
    private final Decoder base;
    private final boolean anyBase;
    private final List<Finding> findings;
    /** The linears of the model and its embedding, by number. */
    private final List<LinearSite> sites;

    XLoraParts(XLoraConfig config, Ordering ordering, Decoder base, boolean anyBase, List<Finding> findings) {
        this.config = config;
        this.ordering = ordering;
        this.base = base;
        this.anyBase = anyBase;
        this.findings = findings;
        sites = new ArrayList<>(base.spec().linearSites());
        sites.add(base.spec().embeddingSite());
    }

    XLoraConfig config() {
        return config;
    }

    Ordering ordering() {
        return ordering;
    }

    String classifierFile() {
        return config.network().peft() ? PEFT : OWN;
    }

    /** @param experts those of the order that could be read */
    void check(List<LoraWeights> experts) {
        checkBase();
        checkOrder();
        checkLayers(experts);
        for (int i = 0; i < experts.size(); i++) {
            if (!experts.get(i).exclusive().isEmpty()) {
                error(
                        "order[" + i + "]",
                        "X-LoRA does not support adapters with "
                                + experts.get(i).exclusive());
            }
        }
    }

    private void error(String path, String detail) {
        findings.add(Finding.error(path, detail));
    }

    private void checkBase() {
        int hidden = base.spec().hidden();
        if (config.hiddenSize() != hidden) {
            error("hidden_size", "hidden_size is " + config.hiddenSize() + ", the base's is " + hidden);
        }
        String id = config.baseModelId();
        if (!id.isEmpty() && !id.equals(ordering.baseModelId())) {
            String detail = "the ordering file is for `" + ordering.baseModelId() + "`, the X-LoRA for `" + id + "`";
            findings.add(
                    anyBase
                            ? Finding.warning("base_model_id", detail)
                            : Finding.error("base_model_id", detail + "; --any-base-model-id takes it all the same"));
        }
        boolean fourBits = base.spec().linearSites().stream()
                .anyMatch(site -> base.weight(site).dtype().name().startsWith("Q4"));
        if (fourBits) {
            findings.add(Finding.warning("base", FOUR_BITS));
        }
    }

    private void checkOrder() {
        for (String name : ordering.order()) {
            if (!config.adapters().containsKey(name)) {
                error(
                        "order",
                        "order names " + name + ", the package has "
                                + config.adapters().keySet());
            }
        }
        int classes = config.adapters().size();
        if (ordering.order().size() != classes) {
            error("order", "order has " + ordering.order().size() + " names, the classifier " + classes + " classes");
        }
        if (config.settings().topK() > classes) {
            error("top_k_lora", "top_k_lora is " + config.settings().topK() + ", there are " + classes + " adapters");
        }
    }

    private void checkLayers(List<LoraWeights> experts) {
        boolean layered = config.layerwise();
        if (layered && ordering.layers().isEmpty()) {
            error("layers", "layers is required: scalings are layerwise");
            return;
        }
        Set<String> paths = new HashSet<>();
        sites.forEach(site -> paths.add(site.path()));
        String head = base.spec().headSite().path();
        for (String path : ordering.layers().keySet()) {
            if (path.equals(head)) {
                error("layers." + path, HEAD);
            } else if (!paths.contains(path)) {
                error("layers." + path, "the base has no linear " + path);
            }
        }
        Set<Integer> first =
                experts.isEmpty() ? Set.of() : experts.getFirst().factors().keySet();
        for (LoraWeights expert : experts) {
            if (!expert.factors().keySet().equals(first)) {
                error("order", "Expected all target modules to be the same.");
                return;
            }
        }
        for (LinearSite site : sites) {
            if (first.contains(site.index()) && site.path().equals(head)) {
                error("order", HEAD);
            } else if (layered
                    && first.contains(site.index())
                    && !ordering.layers().containsKey(site.path())) {
                error("layers", "the adapters target " + site.path() + ", layers does not name it");
            }
        }
    }

    /** The linears that adapters change, one for each path. */
    List<LinearSite> changed(List<LoraWeights> experts) {
        Set<String> seen = new HashSet<>();
        return sites.stream()
                .filter(site -> experts.getFirst().factors().containsKey(site.index()) && seen.add(site.path()))
                .toList();
    }

    /** @throws ServiceException {@code INVALID_ADAPTER} naming the tensor */
    XLoraClassifier classifier(Path file, ClassifierMemory memory) {
        if (!Files.isRegularFile(file)) {
            throw refused("there is no " + classifierFile());
        }
        XLoraConfig.Network network = config.network();
        int places = config.layerwise() ? ordering.layers().size() : 1;
        int classes = config.adapters().size();
        List<XLoraClassifier.Linear> linears = new ArrayList<>();
        try (SafetensorsSource source = SafetensorsSource.open(file)) {
            Set<String> left = new HashSet<>(source.names());
            left.removeIf(name -> !network.isOwn(name));
            for (int i = 0; i < network.depth(); i++) {
                int in = i == 0 ? base.spec().hidden() : network.size();
                int out = i == network.depth() - 1 ? places * classes : network.size();
                linears.add(linear(source, left, i, in, out, memory));
            }
            if (!left.isEmpty()) {
                throw refused(left.iterator().next() + " has no use at xlora_depth " + network.depth());
            }
            return new XLoraClassifier(linears, network.relu(), classes, places(), memory);
        } catch (ServiceException e) {
            linears.forEach(linear -> linear.weight().close());
            throw refused(e.detail());
        }
    }

    private XLoraClassifier.Linear linear(
            SafetensorsSource source, Set<String> left, int number, int in, int out, ClassifierMemory memory) {
        String name = config.network().tensor(number, "weight");
        Tensor weight = tensor(source, left, name, out, in)
                .orElseThrow(() -> refused(name + " is missing"
                        + (config.network().peft()
                                ? "; PEFT after 0.13 loses it when it saves an X-LoRA, and would go on with random numbers"
                                : "")));
        float[] bias = {};
        if (config.network().bias()) {
            String biasName = config.network().tensor(number, "bias");
            bias = tensor(source, left, biasName, 1, out)
                    .orElseThrow(() -> refused(biasName + " is missing while use_bias is true"))
                    .row(0);
        }
        return new XLoraClassifier.Linear(memory.backend().loadReplacement(weight), bias, in, out);
    }

    private static Optional<Tensor> tensor(
            SafetensorsSource source, Set<String> left, String ending, int rows, int cols) {
        Optional<String> name =
                left.stream().filter(each -> each.endsWith(ending)).findFirst();
        return name.map(found -> {
            left.remove(found);
            Tensor tensor = source.tensor(found);
            if (tensor.rows() != rows || tensor.cols() != cols) {
                throw refused(found + " has shape [" + tensor.rows() + ", " + tensor.cols() + "], wanted is [" + rows
                        + ", " + cols + "]");
            }
            for (int row = 0; row < rows; row++) {
                for (float value : tensor.row(row)) {
                    if (!Float.isFinite(value)) {
                        throw refused(found + " holds " + value + " in row " + row);
                    }
                }
            }
            return tensor;
        });
    }

    /** By number of a site of the model: which of the classifier's it is. */
    private int[] places() {
        int[] places = new int[sites.size()];
        Arrays.fill(places, -1);
        for (LinearSite site : sites) {
            Integer place = config.layerwise() ? ordering.layers().get(site.path()) : Integer.valueOf(0);
            places[site.index()] = place == null ? -1 : place;
        }
        return places;
    }

    private static ServiceException refused(String what) {
        return new ServiceException(INVALID_ADAPTER, what);
    }
}
