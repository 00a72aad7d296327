package dev.lory.registry;

import dev.lory.error.ErrorCode;
import dev.lory.error.Finding;
import dev.lory.error.ServiceException;
import dev.lory.ordering.AdapterNames;
import dev.lory.registry.Alias.Target;
import dev.lory.worker.AdapterKind;
import dev.lory.worker.GenerationRequest.WeightedAdapter;
import jakarta.enterprise.context.ApplicationScoped;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** What an alias may be called and stand for; inside a transaction that holds the lock of the base model. */
@ApplicationScoped
class AliasValidator {
    private static final int MOST_TARGETS = 64;
    private static final double LARGEST_SHARE = 1e6;

    private final AdapterRepository adapters;

    AliasValidator(AdapterRepository adapters) {
        this.adapters = adapters;
    }

    /** @throws ServiceException {@code INVALID_ALIAS} with every finding */
    void refuseErrors(BaseModelEntity model, String name, List<Target> targets) {
        List<Finding> findings = new ArrayList<>();
        nameFault(model, name).ifPresent(fault -> findings.add(Finding.error("name", fault)));
        if (targets.isEmpty() || targets.size() > MOST_TARGETS) {
            findings.add(Finding.error(
                    "targets", "there must be 1 to " + MOST_TARGETS + " targets but there are " + targets.size()));
        } else if (targets.stream().mapToDouble(Target::share).sum() == 0) {
            findings.add(Finding.error("targets", "at least one share must be above 0"));
        }
        Map<String, String> paths = new HashMap<>();
        for (int i = 0; i < targets.size(); i++) {
            Target target = targets.get(i);
            String path = "targets[" + i + "]";
            // also refuses NaN
            if (!(target.share() >= 0 && target.share() <= LARGEST_SHARE)) {
                findings.add(Finding.error(
                        path + ".share", "the share must be between 0 and 1000000 but is " + target.share()));
            }
            String same = paths.putIfAbsent(target.key(), path);
            if (same != null) {
                findings.add(Finding.error(path, "these are the adapters of " + same + "; add the shares"));
            }
            findings.addAll(adapterFindings(model, target.adapters(), path));
        }
        Finding.refuseErrors(ErrorCode.INVALID_ALIAS, "the alias", findings);
    }

    private Optional<String> nameFault(BaseModelEntity model, String name) {
        Optional<String> fault = AdapterNames.fault(name);
        if (fault.isPresent()) {
            return Optional.of("the name of the alias " + fault.get());
        }
        if (name.equals(model.modelId())) {
            return Optional.of("`" + name + "` is the base model");
        }
        return adapters.named(model, name).map(adapter -> "`" + name + "` is an adapter");
    }

    private List<Finding> adapterFindings(BaseModelEntity model, List<WeightedAdapter> set, String target) {
        List<Finding> findings = new ArrayList<>();
        Set<String> seen = new HashSet<>();
        for (int i = 0; i < set.size(); i++) {
            WeightedAdapter adapter = set.get(i);
            String path = target + ".adapters[" + i + "]";
            Optional<AdapterEntity> row = adapters.named(model, adapter.name());
            if (row.isEmpty()) {
                findings.add(Finding.error(path, "no adapter `" + adapter.name() + "` is registered"));
            } else if (row.get().state() == AdapterState.FAILED) {
                findings.add(Finding.error(
                        path,
                        "adapter `" + adapter.name() + "` is FAILED: "
                                + row.get().stateReason()));
            } else if (row.get().kind() == AdapterKind.XLORA && (set.size() > 1 || adapter.weight() != 1)) {
                findings.add(Finding.error(
                        path, "`" + adapter.name() + "` is an X-LoRA, which can only run alone and with weight 1"));
            }
            if (!seen.add(adapter.name())) {
                findings.add(Finding.error(path, "adapter `" + adapter.name() + "` is named twice"));
            }
            if (!Float.isFinite(adapter.weight())) {
                findings.add(Finding.error(
                        path + ".weight", "the weight must be a finite number but is " + adapter.weight()));
            }
        }
        return findings;
    }
}
