package dev.lory.registry;

import static dev.lory.error.ServiceException.invalid;

import dev.lory.error.ErrorCode;
import dev.lory.error.Finding;
import dev.lory.error.ServiceException;
import dev.lory.ordering.AdapterNames;
import dev.lory.ordering.Ordering;
import dev.lory.ordering.Ordering.PreloadAdapter;
import dev.lory.worker.AdapterKind;
import dev.lory.worker.DesiredState.Residency;
import jakarta.enterprise.context.ApplicationScoped;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Gives names to adapter folders, inside a transaction that holds the lock of the base model. */
@ApplicationScoped
class AdapterRegistration {
    private final AdapterRepository adapters;
    private final AdapterSources sources;
    private final ActivationRepository activations;
    private final AliasRepository aliases;
    private final AuditLog audit;

    AdapterRegistration(
            AdapterRepository adapters,
            AdapterSources sources,
            ActivationRepository activations,
            AliasRepository aliases,
            AuditLog audit) {
        this.adapters = adapters;
        this.sources = sources;
        this.activations = activations;
        this.aliases = aliases;
        this.audit = audit;
    }

    /**
     * Makes the row of an adapter, or asks for a new attempt where loading failed or a trusted actor gives another source.
     *
     * @throws ServiceException {@code INVALID_REQUEST} for name or source; {@code CONFLICT} if a client gives another source, the name
     *     is an alias, or an upload is not there any more
     */
    AdapterEntity register(BaseModelEntity model, String name, String source, Actor actor) {
        requireName(name);
        if (!actor.trusted()) {
            sources.requireInside(source);
        }
        Optional<AdapterEntity> existing = adapters.named(model, name);
        if (existing.isEmpty()) {
            requireNoAlias(model, name);
            requireThere(name, source);
            AdapterEntity made = new AdapterEntity(model, name, AdapterKind.of(sources.folder(source)), source);
            adapters.persist(made);
            model.changed();
            made.wantAt(model.desiredRevision());
            audit.record(actor.name(), "register", "adapter/" + name, "", source);
            return made;
        }
        AdapterEntity row = existing.get();
        if (!sources.folder(row.source()).equals(sources.folder(source))) {
            replace(model, row, source, actor);
        } else if (row.state() == AdapterState.FAILED) {
            adapters.move(row, AdapterState.LOADING, "registered again", actor.name());
            want(model, row);
        }
        return row;
    }

    private void requireNoAlias(BaseModelEntity model, String name) {
        if (aliases.named(model, name).isPresent()) {
            throw new ServiceException(
                    ErrorCode.CONFLICT,
                    "`" + name
                            + "` is the name of an alias; use another name for the adapter, or delete the alias first");
        }
    }

    /** The last adapter with this content may have been given up since it was uploaded once more, and its files deleted. */
    private void requireThere(String name, String source) {
        if (source.startsWith(AdapterSources.UPLOAD) && !Files.isDirectory(sources.folder(source))) {
            throw new ServiceException(
                    ErrorCode.CONFLICT,
                    "the files of adapter `" + name
                            + "` were deleted with another adapter meanwhile; upload them again");
        }
    }

    /** @throws ServiceException {@code INVALID_REQUEST} if nothing can be called that */
    static void requireName(String name) {
        AdapterNames.fault(name).ifPresent(fault -> {
            throw invalid("name", "the name of the adapter " + fault);
        });
    }

    /** @throws ServiceException {@code CONFLICT} while it is active, used by an alias, or being loaded */
    void retire(BaseModelEntity model, AdapterEntity row, Actor actor) {
        requireUnused(model, row);
        if (row.state() == AdapterState.LOADING) {
            throw new ServiceException(
                    ErrorCode.CONFLICT, "adapter `" + row.name() + "` is being loaded; try again later");
        }
        adapters.move(row, AdapterState.RETIRED, "", actor.name());
        model.changed();
        audit.record(actor.name(), "retire", "adapter/" + row.name(), row.source(), "");
    }

    private void requireUnused(BaseModelEntity model, AdapterEntity row) {
        boolean active = activations.latest(model).stream()
                .flatMap(activation -> activation.adapters().stream())
                .anyMatch(adapter -> adapter.name().equals(row.name()));
        if (active) {
            throw new ServiceException(
                    ErrorCode.CONFLICT,
                    "adapter `" + row.name() + "` is in the current activation; activate a set without it first");
        }
        aliases.using(model, row.name()).ifPresent(alias -> {
            throw new ServiceException(
                    ErrorCode.CONFLICT,
                    "adapter `" + row.name() + "` is in a target of alias `" + alias.name()
                            + "`; change or delete the alias first");
        });
    }

    /**
     * Reads a name's files anew, from the same folder or another: new requests get what is there now. It may be named again if it was unloaded.
     *
     * @throws ServiceException {@code INVALID_REQUEST} for a source outside the root
     */
    void reload(BaseModelEntity model, AdapterEntity row, String source, Actor actor) {
        if (!actor.trusted()) {
            sources.requireInside(source);
        }
        requireThere(row.name(), source);
        if (row.residency() == Residency.UNLOADED) {
            row.keep(Residency.ON_DEMAND);
        }
        readFrom(model, row, source, actor);
    }

    private void replace(BaseModelEntity model, AdapterEntity row, String source, Actor actor) {
        if (!actor.trusted()) {
            throw new ServiceException(
                    ErrorCode.CONFLICT,
                    "adapter `" + row.name() + "` is registered from `" + row.source() + "`, not from `" + source
                            + "`; use another name");
        }
        readFrom(model, row, source, actor);
    }

    private void readFrom(BaseModelEntity model, AdapterEntity row, String source, Actor actor) {
        audit.record(actor.name(), "register", "adapter/" + row.name(), row.source(), source);
        row.readFrom(source, AdapterKind.of(sources.folder(source)));
        if (row.state() != AdapterState.LOADING) {
            adapters.move(row, AdapterState.LOADING, "its source is now " + source, actor.name());
        }
        want(model, row);
    }

    private static void want(BaseModelEntity model, AdapterEntity row) {
        model.changed();
        row.wantAt(model.desiredRevision());
    }

    /** Has it on the device as soon as may be; requests may name it again. */
    void load(BaseModelEntity model, AdapterEntity row, Actor actor) {
        if (row.residency() == Residency.UNLOADED) {
            row.keep(Residency.ON_DEMAND);
        }
        if (row.state() == AdapterState.FAILED || row.state() == AdapterState.REGISTERED) {
            adapters.move(row, AdapterState.LOADING, "asked to load", actor.name());
        }
        want(model, row);
        audit.record(actor.name(), "load", "adapter/" + row.name(), "", "");
    }

    /**
     * Keeps it from being used until it is loaded again.
     *
     * @throws ServiceException {@code CONFLICT} while it is active, or used by an alias
     */
    void unload(BaseModelEntity model, AdapterEntity row, Actor actor) {
        requireUnused(model, row);
        keep(model, row, Residency.UNLOADED, actor);
    }

    /** Sets how long it stays on the device. */
    void keep(BaseModelEntity model, AdapterEntity row, Residency residency, Actor actor) {
        audit.record(
                actor.name(), "keep", "adapter/" + row.name(), row.residency().name(), residency.name());
        row.keep(residency);
        model.changed();
    }

    /** All of {@code preload_adapters}; those of {@code order} that are not registered yet are looked for in the root, by name. */
    void register(BaseModelEntity model, Ordering ordering, Actor actor) {
        List<Map<String, Object>> findings = new ArrayList<>();
        for (int i = 0; i < ordering.preloadAdapters().size(); i++) {
            PreloadAdapter preload = ordering.preloadAdapters().get(i);
            try {
                register(model, preload.name(), sources.ofPreload(preload), actor);
            } catch (ServiceException e) {
                if (e.code() != ErrorCode.INVALID_REQUEST) {
                    throw e;
                }
                findings.add(finding("preload_adapters[" + i + "].adapter_model_id", e.detail()));
            }
        }
        for (int i = 0; i < ordering.order().size(); i++) {
            String name = ordering.order().get(i);
            if (adapters.named(model, name).isPresent()) {
                continue;
            }
            if (sources.isInRoot(name)) {
                register(model, name, name, actor);
            } else {
                findings.add(finding(
                        "order[" + i + "]",
                        "no adapter `" + name
                                + "`: it is neither registered, nor in preload_adapters, nor a PEFT folder "
                                + "of that name in the adapters root"));
            }
        }
        if (!findings.isEmpty()) {
            throw new ServiceException(
                    ErrorCode.INVALID_ORDERING,
                    "the ordering file names adapters that cannot be registered, first: "
                            + findings.getFirst().get("detail"),
                    Map.of("findings", findings));
        }
    }

    private static Map<String, Object> finding(String path, String detail) {
        return new Finding(Finding.Severity.ERROR, path, detail).toMap();
    }
}
