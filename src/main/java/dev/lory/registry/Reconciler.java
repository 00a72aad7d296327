package dev.lory.registry;

import dev.lory.worker.DesiredState;
import dev.lory.worker.DesiredState.Residency;
import dev.lory.worker.GenerationRequest.WeightedAdapter;
import dev.lory.worker.Worker;
import dev.lory.worker.WorkerStatus;
import dev.lory.worker.WorkerStatus.AdapterStatus;
import dev.lory.worker.WorkerStatus.Tier;
import dev.lory.xlora.XLoraOverrides;
import io.quarkus.narayana.jta.QuarkusTransaction;
import jakarta.enterprise.context.ApplicationScoped;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * Makes the worker keep what the database wants, and the database say what the worker has. Every pass is complete in itself, so it may be
 * interrupted and repeated, and replicas need no leader.
 */
@ApplicationScoped
class Reconciler {
    private static final String ACTOR = "reconciler";

    private final BaseModels models;
    private final AdapterRepository adapters;
    private final ActivationRepository activations;
    private final ActivationService active;
    private final XLoraSettingsRepository settings;
    private final AliasRepository aliases;
    private final AliasService named;
    private final AdapterSources sources;

    Reconciler(
            BaseModels models,
            AdapterRepository adapters,
            ActivationRepository activations,
            ActivationService active,
            XLoraSettingsRepository settings,
            AliasRepository aliases,
            AliasService named,
            AdapterSources sources) {
        this.models = models;
        this.adapters = adapters;
        this.activations = activations;
        this.active = active;
        this.settings = settings;
        this.aliases = aliases;
        this.named = named;
        this.sources = sources;
    }

    /** What the database wants. */
    private record Wanted(long revision, Optional<Activation> activation, List<Alias> aliases) {}

    /** One pass; loads adapters, so it may take long. */
    void reconcile(Worker worker) {
        Wanted wanted = QuarkusTransaction.requiringNew().call(this::read);
        wanted.activation().ifPresent(active::publish);
        named.publish(wanted.aliases());
        if (worker.status().appliedRevision() < wanted.revision()) {
            worker.apply(QuarkusTransaction.requiringNew().call(this::announce));
        }
        if (QuarkusTransaction.requiringNew().call(() -> differs(worker.status()))) {
            QuarkusTransaction.requiringNew().run(() -> record(worker));
        }
    }

    private Wanted read() {
        Optional<BaseModelEntity> model = models.served();
        return new Wanted(
                model.map(BaseModelEntity::desiredRevision).orElse(0L),
                model.flatMap(activations::latest).map(ActivationEntity::view),
                model.map(aliases::latest).orElse(List.of()).stream()
                        .map(AliasEntity::view)
                        .toList());
    }

    /** Marks what will be loaded, and says what is to be kept. */
    private DesiredState announce() {
        BaseModelEntity model = models.lock();
        Set<String> activeNames = activeNames(model);
        List<AdapterEntity> kept = adapters.of(model);
        kept.stream()
                .filter(adapter ->
                        adapter.state() == AdapterState.REGISTERED && adapter.residency() != Residency.UNLOADED)
                .forEach(adapter -> adapters.move(adapter, AdapterState.LOADING, "", ACTOR));
        Map<Long, XLoraOverrides> overrides = settings.latest(kept);
        return new DesiredState(
                model.desiredRevision(),
                kept.stream()
                        .sorted(Comparator.comparing(adapter -> !activeNames.contains(adapter.name())))
                        .map(adapter -> adapter.desired(
                                sources.folder(adapter.source()),
                                overrides.getOrDefault(adapter.id(), XLoraOverrides.NONE)))
                        .toList());
    }

    /** Reads without the lock, since most passes find nothing to do. */
    private boolean differs(WorkerStatus status) {
        return models.served().stream().anyMatch(model -> {
            Set<String> activeNames = activeNames(model);
            Map<String, AdapterEntity> rows = byName(model);
            return status.adapters().stream().anyMatch(found -> {
                AdapterEntity row = rows.get(found.name());
                return row != null && (row.state() != target(row, found, activeNames) || !row.isDescribedBy(found));
            });
        });
    }

    private void record(Worker worker) {
        BaseModelEntity model = models.lock();
        // asked only now: who was let in before the activation that is read here must be seen running
        WorkerStatus status = worker.status();
        Set<String> activeNames = activeNames(model);
        Map<String, AdapterEntity> rows = byName(model);
        for (AdapterStatus found : status.adapters()) {
            AdapterEntity row = rows.get(found.name());
            if (row != null) {
                row.describe(found);
                adapters.move(row, target(row, found, activeNames), found.reason(), ACTOR);
            }
        }
    }

    private Map<String, AdapterEntity> byName(BaseModelEntity model) {
        return adapters.of(model).stream().collect(Collectors.toMap(AdapterEntity::name, Function.identity()));
    }

    /** The state a row should have, by what the worker says of it. */
    private static AdapterState target(AdapterEntity row, AdapterStatus found, Set<String> activeNames) {
        return switch (found.state()) {
            case LOADING -> row.state();
            case FAILED -> AdapterState.FAILED;
            case UNLOADED -> found.tier() == Tier.DISK ? AdapterState.REGISTERED : row.state();
            case READY -> {
                if (activeNames.contains(row.name())) {
                    yield AdapterState.ACTIVE;
                }
                boolean wasActive = row.state() == AdapterState.ACTIVE || row.state() == AdapterState.DRAINING;
                yield wasActive && found.leases() > 0 ? AdapterState.DRAINING : AdapterState.READY;
            }
        };
    }

    private Set<String> activeNames(BaseModelEntity model) {
        return activations.latest(model).stream()
                .map(ActivationEntity::adapters)
                .flatMap(List::stream)
                .map(WeightedAdapter::name)
                .collect(Collectors.toSet());
    }
}
