package dev.lory.adapter;

import static dev.lory.error.ErrorCode.INVALID_ADAPTER;
import static dev.lory.error.ErrorCode.UNSUPPORTED_DTYPE;

import dev.lory.adapter.AdapterTensors.Role;
import dev.lory.error.ErrorCode;
import dev.lory.error.Finding;
import dev.lory.error.ServiceException;
import dev.lory.format.SafetensorsSource;
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

/**
 * Puts one adapter on the device, module by module. Every tensor must be of use, and every module that the configuration names have its own;
 * what is wrong with one module does not keep the others from being looked at.
 */
final class LoraReader {
    /** After so many the rest is not looked at: what is wrong everywhere is one mistake. */
    private static final int MAX_FINDINGS = 50;

    private final PeftConfig config;
    private final AdapterTensors tensors;
    private final BaseWeights base;
    private final Backend backend;
    private final AdapterPolicy policy;
    private final LinearSite embedding;
    private final List<Finding> findings = new ArrayList<>();
    /** By path; several where one linear has several outputs. */
    private final Map<String, List<LinearSite>> sites = new LinkedHashMap<>();

    private final Map<Integer, LoraFactors> factors = new TreeMap<>();
    private final Set<String> changed = new TreeSet<>();
    private final List<AdapterReport.Module> updates = new ArrayList<>();
    private final boolean measures;
    private boolean targeted;
    private ErrorCode code = INVALID_ADAPTER;

    /** @param measures whether {@link #updates} are wanted, which takes a while at high ranks */
    LoraReader(
            PeftConfig config,
            SafetensorsSource source,
            Decoder base,
            Backend backend,
            AdapterPolicy policy,
            boolean measures) {
        this.config = config;
        this.base = new BaseWeights(base, backend);
        this.backend = backend;
        this.policy = policy;
        this.measures = measures;
        tensors = new AdapterTensors(source, findings::add);
        embedding = base.spec().embeddingSite();
        sites.put(embedding.path(), List.of(embedding));
        for (LinearSite site : base.spec().linearSites()) {
            sites.computeIfAbsent(site.path(), path -> new ArrayList<>()).add(site);
        }
    }

    /** @throws ServiceException as {@link PeftFolder#load}, without the name of the file */
    LoraWeights read(String digest) {
        try {
            attempt("", this::requireModulesToSave);
            attempt("", this::requireNoTying);
            sites.forEach((path, outputs) -> attempt(path, () -> module(path, outputs)));
            findOtherTensors();
            if (errors().isEmpty() && !targeted) {
                findings.add(Finding.error("", "target_modules names no module of the base model"));
            }
            refuseErrors();
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

    /** Of {@link #read}, whether it succeeded or not. */
    List<Finding> findings() {
        return List.copyOf(findings);
    }

    /** The low-rank updates that were read. */
    List<AdapterReport.Module> updates() {
        return List.copyOf(updates);
    }

    private void attempt(String path, Runnable part) {
        if (errors().size() >= MAX_FINDINGS) {
            return;
        }
        try {
            part.run();
        } catch (ServiceException e) {
            if (e.code() != INVALID_ADAPTER && e.code() != UNSUPPORTED_DTYPE) {
                throw e;
            }
            if (errors().isEmpty()) {
                code = e.code();
            }
            findings.add(Finding.error(path, e.detail()));
        }
    }

    private List<Finding> errors() {
        return findings.stream()
                .filter(finding -> finding.severity() == Finding.Severity.ERROR)
                .toList();
    }

    private void refuseErrors() {
        List<Finding> errors = errors();
        if (!errors.isEmpty()) {
            int more = errors.size() - 1;
            throw new ServiceException(
                    code,
                    errors.getFirst().detail() + (more == 0 ? "" : "; and " + more + " more"),
                    Map.of("findings", findings.stream().map(Finding::toMap).toList()));
        }
    }

    /** What PEFT itself passes over. */
    private void missing(String path, String detail) {
        findings.add(policy.partial() ? Finding.warning(path, detail) : Finding.error(path, detail));
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

    private void findOtherTensors() {
        Set<String> others = new TreeSet<>(tensors.paths());
        others.removeAll(sites.keySet());
        others.stream()
                .limit(MAX_FINDINGS)
                .map(path -> first(tensors.of(path)))
                .forEach(name -> missing(name, "tensor " + name + " is for no linear that the base model has"));
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
        } else if (target && names.isEmpty()) {
            missing(path, "target_modules names " + path + ", but there are no tensors for it");
        } else if (target) {
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

    private void linear(String path, List<LinearSite> outputs, Map<Role, String> names) {
        Set<Role> expected = EnumSet.of(Role.LORA_A, Role.LORA_B, Role.BASE_WEIGHT, Role.BASE_BIAS);
        if (config.dora()) {
            expected.add(Role.MAGNITUDE);
        }
        requireOnly(names, expected, config.dora() ? "has no use in a DoRA adapter" : "has no use in a LoRA adapter");
        requireCopies(outputs, names);
        LinearSite.Shape shape = outputs.getFirst().shape();
        int rank = rank(path);
        float scale = config.scale(path);
        Tensor a = tensor(path, names, Role.LORA_A, rank, shape.in());
        Tensor b = tensor(path, names, Role.LORA_B, shape.out(), rank);
        measure(path, a, b, scale);
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
        int rank = rank(path);
        float scale = config.scale(path);
        Tensor a = tensor(path, names, Role.EMBEDDING_A, rank, shape.in());
        Tensor b = tensor(path, names, Role.EMBEDDING_B, shape.out(), rank);
        measure(path, a, b, scale);
        if (config.dora()) {
            Tensor magnitude = tensor(path, names, Role.MAGNITUDE, 1, shape.out());
            factors.put(embedding.index(), base.loadEmbeddingDora(embedding, a, b, scale, magnitude));
        } else {
            factors.put(embedding.index(), backend.loadLora(a, b, scale));
        }
    }

    private int rank(String path) {
        int rank = config.rank(path);
        if (policy.maxRank() > 0 && rank > policy.maxRank()) {
            throw refused("the rank of " + path + " is " + rank + ", at most " + policy.maxRank() + " is allowed");
        }
        return rank;
    }

    private void measure(String path, Tensor a, Tensor b, float scale) {
        if (measures) {
            updates.add(Norms.of(path, a, b, scale));
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
