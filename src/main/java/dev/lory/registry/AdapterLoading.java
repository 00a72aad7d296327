package dev.lory.registry;

import static dev.lory.error.ServiceException.invalid;

import dev.lory.error.ErrorCode;
import dev.lory.error.Finding;
import dev.lory.error.ServiceException;
import dev.lory.worker.DesiredState.Residency;
import dev.lory.worker.WorkerStatus;
import dev.lory.worker.WorkerStatus.AdapterStatus;
import io.quarkus.narayana.jta.QuarkusTransaction;
import jakarta.enterprise.context.ApplicationScoped;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.LockSupport;

/**
 * Loading and unloading as vLLM, SGLang and mistral.rs have it: the client waits, and when it is answered requests can name the adapter, or not
 * any more. The generation of an adapter is the digest of its content, so services on one database agree on it. Any thread may call.
 */
@ApplicationScoped
public class AdapterLoading {
    private static final Duration POLL = Duration.ofMillis(10);
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    private final BaseModels models;
    private final AdapterRepository adapters;
    private final AdapterRegistration registration;
    private final AdapterService service;
    private final WorkerDirectory workers;
    private final ChangeSignal changes;
    private final Set<String> busy = ConcurrentHashMap.newKeySet();

    AdapterLoading(
            BaseModels models,
            AdapterRepository adapters,
            AdapterRegistration registration,
            AdapterService service,
            WorkerDirectory workers,
            ChangeSignal changes) {
        this.models = models;
        this.adapters = adapters;
        this.registration = registration;
        this.service = service;
        this.workers = workers;
        this.changes = changes;
    }

    /**
     * What is to be loaded.
     *
     * @param source relative to the adapters root
     * @param inPlace whether another adapter of that name is replaced
     * @param pinned whether it is kept on the device
     * @param expectedGeneration what the name must have now; empty = whatever
     */
    public record Wanted(String name, String source, boolean inPlace, boolean pinned, String expectedGeneration) {}

    /**
     * Loads an adapter, or other content under its name; requests that run with the old one end as they began.
     *
     * @throws ServiceException {@code LORA_LOAD_BUSY}; {@code LORA_GENERATION_MISMATCH}; {@code INVALID_REQUEST} for name or source, or if
     *     the name is taken; {@code INVALID_ADAPTER} with all findings; {@code UNAVAILABLE} if it takes too long
     */
    public Adapter load(Wanted wanted, Actor actor) {
        AdapterRegistration.requireName(wanted.name());
        if (!busy.add(wanted.name())) {
            throw new ServiceException(
                    ErrorCode.LORA_LOAD_BUSY,
                    "the adapter `" + wanted.name() + "` is being loaded already; try again later");
        }
        try {
            QuarkusTransaction.requiringNew().run(() -> named(wanted, models.lock())); // before reading anything
            Finding.refuseErrors(
                    ErrorCode.INVALID_ADAPTER,
                    "the adapter",
                    service.check(wanted.source()).findings());
            long revision = QuarkusTransaction.requiringNew().call(() -> register(wanted, actor));
            changes.raise();
            await(wanted.name(), revision);
            return service.get(wanted.name());
        } finally {
            busy.remove(wanted.name());
        }
    }

    /** The row that is to be replaced or brought back; empty if the name is free. */
    private Optional<AdapterEntity> named(Wanted wanted, BaseModelEntity model) {
        Optional<AdapterEntity> row = adapters.named(model, wanted.name());
        expect(wanted.name(), row, wanted.expectedGeneration());
        boolean there = row.filter(AdapterLoading::isThere).isPresent();
        if (there && !wanted.inPlace() && wanted.expectedGeneration().isEmpty()) {
            throw invalid(
                    "lora_name",
                    "The lora adapter '" + wanted.name()
                            + "' has already been loaded. If you want to load the adapter in place, set 'load_inplace' to True.");
        }
        return row;
    }

    private long register(Wanted wanted, Actor actor) {
        BaseModelEntity model = models.lock();
        Optional<AdapterEntity> known = named(wanted, model);
        known.ifPresent(row -> registration.reload(model, row, wanted.source(), actor));
        AdapterEntity row = known.orElseGet(() -> registration.register(model, wanted.name(), wanted.source(), actor));
        if (wanted.pinned()) {
            registration.keep(model, row, Residency.PINNED, actor);
        }
        return model.desiredRevision();
    }

    private static boolean isThere(AdapterEntity row) {
        return row.residency() != Residency.UNLOADED && row.state() != AdapterState.FAILED;
    }

    private static void expect(String name, Optional<AdapterEntity> row, String generation) {
        String found =
                row.filter(AdapterLoading::isThere).map(AdapterEntity::digest).orElse("");
        if (!generation.isEmpty() && !generation.equals(found)) {
            throw new ServiceException(
                    ErrorCode.LORA_GENERATION_MISMATCH,
                    "the adapter `" + name + "` is "
                            + (found.isEmpty() ? "not loaded" : "at generation " + found)
                            + ", expected_generation is " + generation,
                    Map.of("param", "expected_generation"));
        }
    }

    private void await(String name, long revision) {
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        while (System.nanoTime() < deadline) {
            WorkerStatus status = workers.status();
            Optional<AdapterStatus> found = status.adapters().stream()
                    .filter(adapter -> adapter.name().equals(name))
                    .findFirst();
            if (status.appliedRevision() >= revision && found.isPresent()) {
                AdapterStatus now = found.get();
                if (now.state() == AdapterStatus.State.FAILED) {
                    throw new ServiceException(
                            ErrorCode.INVALID_ADAPTER,
                            "the adapter `" + name + "` could not be loaded: " + now.reason());
                }
                if (now.state() == AdapterStatus.State.READY) {
                    return;
                }
            }
            LockSupport.parkNanos(POLL.toNanos());
        }
        throw new ServiceException(
                ErrorCode.UNAVAILABLE,
                "the adapter `" + name + "` was not loaded within " + PATIENCE.toSeconds() + " s; it may be later");
    }

    /**
     * Refuses an adapter to new requests; those that run with it end as they began, and then its memory is free.
     *
     * @param expectedGeneration what the name must have now; empty = whatever
     * @throws ServiceException {@code ADAPTER_NOT_FOUND}; {@code LORA_GENERATION_MISMATCH}; {@code CONFLICT} while it is active, or used by
     *     an alias
     */
    public void unload(String name, String expectedGeneration, Actor actor) {
        QuarkusTransaction.requiringNew().run(() -> {
            BaseModelEntity model = models.lock();
            AdapterEntity row = adapters.named(model, name)
                    .filter(AdapterLoading::isThere)
                    .orElseThrow(() -> new ServiceException(
                            ErrorCode.ADAPTER_NOT_FOUND,
                            "The lora adapter '" + name + "' cannot be found.",
                            Map.of("param", "lora_name")));
            expect(name, Optional.of(row), expectedGeneration);
        });
        service.unload(name, Duration.ZERO, actor);
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        while (isServed(name) && System.nanoTime() < deadline) {
            LockSupport.parkNanos(POLL.toNanos());
        }
    }

    private boolean isServed(String name) {
        return workers.status().adapters().stream()
                .anyMatch(adapter -> adapter.name().equals(name) && adapter.state() != AdapterStatus.State.UNLOADED);
    }
}
