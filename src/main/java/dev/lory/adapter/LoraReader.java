package dev.lory.adapter;

import static dev.lory.error.ErrorCode.INVALID_ADAPTER;

import dev.lory.adapter.AdapterTensors.Role;
import dev.lory.error.ServiceException;
import dev.lory.kernel.Backend;
import dev.lory.kernel.LoraFactors;
import dev.lory.model.Decoder;
import dev.lory.model.LinearSite;
import dev.lory.tensor.Tensor;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;

/** Puts one adapter on the device, module by module. Every tensor must be of use, and every module that the configuration names have its own. */
final class LoraReader {
    private final PeftConfig config;
    private final AdapterTensors tensors;
    private final BaseWeights base;
    private final Backend backend;
    private final LinearSite embedding;
    /** By path; several where one linear has several outputs. */
    private final Map<String, List<LinearSite>> sites = new LinkedHashMap<>();

    private final Map<Integer, LoraFactors> factors = new TreeMap<>();
    private final Set<String> changed = new TreeSet<>();
    private boolean targeted;

    LoraReader(PeftConfig config, AdapterTensors tensors, Decoder base, Backend backend) {
        this.config = config;
        this.tensors = tensors;
        this.base = new BaseWeights(base, backend);
        this.backend = backend;
        embedding = base.spec().embeddingSite();
        sites.put(embedding.path(), List.of(embedding));
        for (LinearSite site : base.spec().linearSites()) {
            sites.computeIfAbsent(site.path(), path -> new ArrayList<>()).add(site);
        }
    }

    LoraWeights read(String digest) {
        try {
            requireModulesToSave();
            requireNoTying();
            sites.forEach(this::module);
            requireNoOtherTensors();
            if (!targeted) {
                throw refused("target_modules names no module of the base model");
            }
            int rank = 0;
            long bytes = 0;
            for (LoraFactors of : factors.values()) {
                rank = Math.max(rank, of.rank());
                bytes += of.bytes();
            }
            String exclusive =
                    config.dora() ? "use_dora" : config.modulesToSave().isEmpty() ? "" : "modules_to_save";
            return new LoraWeights(digest, rank, bytes, List.copyOf(changed), exclusive, factors);
        } catch (RuntimeException e) {
            factors.values().forEach(LoraFactors::close);
            throw e;
        }
    }

    private void requireModulesToSave() {
        for (String name : config.modulesToSave()) {
            if (sites.keySet().stream().noneMatch(path -> path.endsWith(name))) {
                throw refused("modules_to_save names " + name
                        + ", which is neither a linear nor the embedding of the base model");
            }
        }
    }

    /** Untied, or with neither end changed, there is nothing to tie. */
    private void requireNoTying() {
        boolean ends = Stream.of(embedding.path(), base.headPath())
                .anyMatch(path -> config.saves(path) || config.targets(path, false));
        if (config.tying() && base.isTied() && ends) {
            throw refused("ensure_weight_tying = true is not supported where the head is the embedding");
        }
    }

    private void requireNoOtherTensors() {
        Set<String> others = new TreeSet<>(tensors.paths());
        others.removeAll(sites.keySet());
        if (!others.isEmpty()) {
            throw refused("tensor " + first(tensors.of(others.iterator().next()))
                    + " is for no linear that the base model has");
        }
    }

    private void module(String path, List<LinearSite> outputs) {
        Map<Role, String> names = tensors.of(path);
        boolean inLayer = !path.equals(embedding.path()) && !path.equals(base.headPath());
        boolean target = config.targets(path, inLayer);
        if (config.saves(path)) {
            if (target) {
                throw refused("modules_to_save and target_modules both name " + path);
            }
            replace(path, outputs, names);
            changed.add(outputs.getFirst().module());
        } else if (target) {
            requireTensors(path, names);
            if (path.equals(embedding.path())) {
                embedding(path, names);
            } else {
                linear(path, outputs, names);
            }
            targeted = true;
            changed.add(outputs.getFirst().module());
        } else if (!names.isEmpty()) {
            // PEFT adds head and embedding to the file when the vocabulary was resized
            requireOnly(
                    names,
                    EnumSet.range(Role.BASE_WEIGHT, Role.BIAS),
                    "is for a module that target_modules does not name");
            requireCopies(outputs, names);
        }
    }

    private static void requireTensors(String path, Map<Role, String> names) {
        if (names.isEmpty()) {
            throw refused("target_modules names " + path + ", but there are no tensors for it");
        }
    }

    private void linear(String path, List<LinearSite> outputs, Map<Role, String> names) {
        Set<Role> expected = EnumSet.of(Role.LORA_A, Role.LORA_B, Role.BASE_WEIGHT, Role.BASE_BIAS);
        if (config.dora()) {
            expected.add(Role.MAGNITUDE);
        }
        requireOnly(names, expected, config.dora() ? "has no use in a DoRA adapter" : "has no use in a LoRA adapter");
        requireCopies(outputs, names);
        LinearSite.Shape shape = outputs.getFirst().shape();
        int rank = config.rank(path);
        float scale = config.scale(path);
        Tensor a = tensor(path, names, Role.LORA_A, rank, shape.in());
        Tensor b = tensor(path, names, Role.LORA_B, shape.out(), rank);
        for (LinearSite site : outputs) {
            Tensor rows = b.slice(site.firstRow(), site.rows());
            if (config.dora()) {
                Tensor magnitude = tensor(path, names, Role.MAGNITUDE, 1, shape.out());
                factors.put(site.index(), base.loadDora(site, a, rows, scale, magnitude));
            } else {
                factors.put(site.index(), backend.loadLora(a, rows, scale));
            }
        }
    }

    private void embedding(String path, Map<Role, String> names) {
        Set<Role> expected = EnumSet.of(Role.EMBEDDING_A, Role.EMBEDDING_B, Role.BASE_WEIGHT);
        if (config.dora()) {
            expected.add(Role.MAGNITUDE);
        }
        requireOnly(names, expected, "has no use for an embedding");
        requireCopies(List.of(embedding), names);
        LinearSite.Shape shape = embedding.shape();
        int rank = config.rank(path);
        float scale = config.scale(path);
        Tensor a = tensor(path, names, Role.EMBEDDING_A, rank, shape.in());
        Tensor b = tensor(path, names, Role.EMBEDDING_B, shape.out(), rank);
        if (config.dora()) {
            Tensor magnitude = tensor(path, names, Role.MAGNITUDE, 1, shape.out());
            factors.put(embedding.index(), base.loadEmbeddingDora(embedding, a, b, scale, magnitude));
        } else {
            factors.put(embedding.index(), backend.loadLora(a, b, scale));
        }
    }

    private void replace(String path, List<LinearSite> outputs, Map<Role, String> names) {
        requireOnly(names, EnumSet.of(Role.WEIGHT, Role.BIAS), "is for a module that modules_to_save names");
        requireSameBias(outputs, names);
        LinearSite.Shape shape = outputs.getFirst().shape();
        boolean table = path.equals(embedding.path());
        Tensor weight =
                tensor(path, names, Role.WEIGHT, table ? shape.in() : shape.out(), table ? shape.out() : shape.in());
        for (LinearSite site : outputs) {
            Tensor rows = table ? weight : weight.slice(site.firstRow(), site.rows());
            factors.put(site.index(), backend.loadReplacement(rows));
        }
    }

    private void requireCopies(List<LinearSite> outputs, Map<Role, String> names) {
        for (Role role : List.of(Role.BASE_WEIGHT, Role.WEIGHT)) {
            String name = names.get(role);
            if (name != null) {
                base.requireCopy(outputs, name, tensors.source().tensor(name));
            }
        }
        requireSameBias(outputs, names);
    }

    private void requireSameBias(List<LinearSite> outputs, Map<Role, String> names) {
        for (Role role : List.of(Role.BASE_BIAS, Role.BIAS)) {
            String name = names.get(role);
            if (name != null
                    && !base.hasBias(outputs.getFirst(), tensors.source().tensor(name))) {
                String field = config.bias().equals("none") ? "" : "bias = \"" + config.bias() + "\": ";
                throw refused(field + "tensor " + name + " differs from the base model's");
            }
        }
    }

    private static void requireOnly(Map<Role, String> names, Set<Role> expected, String why) {
        names.forEach((role, name) -> {
            if (!expected.contains(role)) {
                throw refused("tensor " + name + " " + why);
            }
        });
    }

    private static String first(Map<Role, String> names) {
        return names.values().iterator().next();
    }

    private Tensor tensor(String path, Map<Role, String> names, Role role, int rows, int cols) {
        String name = names.get(role);
        if (name == null) {
            throw refused(path + " has no " + role.ending());
        }
        Tensor tensor = tensors.source().tensor(name);
        if (tensor.rows() != rows || tensor.cols() != cols) {
            throw refused("tensor " + name + " has shape [" + tensor.rows() + ", " + tensor.cols()
                    + "], configuration and base model want [" + rows + ", " + cols + "]");
        }
        float[] row = new float[cols];
        for (int r = 0; r < rows; r++) {
            tensor.decodeRow(r, row);
            for (float value : row) {
                if (!Float.isFinite(value)) {
                    throw refused("tensor " + name + " holds " + value + " in row " + r);
                }
            }
        }
        return tensor;
    }

    private static ServiceException refused(String what) {
        return new ServiceException(INVALID_ADAPTER, what);
    }
}
