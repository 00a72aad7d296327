package dev.lory.registry;

import com.fasterxml.jackson.databind.PropertyNamingStrategies.SnakeCaseStrategy;
import com.fasterxml.jackson.databind.annotation.JsonNaming;
import dev.lory.adapter.AdapterReport;
import dev.lory.adapter.MergeStrategy;
import dev.lory.adapter.MergeStrategy.MajoritySign;
import dev.lory.adapter.StoredMixture;
import dev.lory.error.ErrorCode;
import dev.lory.error.Finding;
import dev.lory.error.ServiceException;
import dev.lory.ordering.Ordering;
import dev.lory.ordering.Ordering.PreloadAdapter;
import dev.lory.worker.AdapterKind;
import dev.lory.worker.DesiredState.Residency;
import dev.lory.worker.GenerationRequest.WeightedAdapter;
import dev.lory.worker.WorkerStatus.AdapterStatus;
import dev.lory.worker.WorkerStatus.Tier;
import io.quarkus.narayana.jta.QuarkusTransaction;
import jakarta.enterprise.context.ApplicationScoped;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BiConsumer;
import java.util.function.Predicate;
import java.util.stream.Collectors;

/** The adapters that requests may name. Any thread may call. */
@ApplicationScoped
public class AdapterService {
    private static final Duration POLL = Duration.ofMillis(20);
    /** How long a worker may take to forget a retired adapter before its files go all the same. */
    private static final Duration FORGOTTEN = Duration.ofSeconds(5);

    private final BaseModels models;
    private final AdapterRepository adapters;
    private final AdapterRegistration registration;
    private final AdapterSources sources;
    private final AdapterUploads uploads;
    private final WorkerDirectory workers;
    private final ChangeSignal changes;

    AdapterService(
            BaseModels models,
            AdapterRepository adapters,
            AdapterRegistration registration,
            AdapterSources sources,
            AdapterUploads uploads,
            WorkerDirectory workers,
            ChangeSignal changes) {
        this.models = models;
        this.adapters = adapters;
        this.registration = registration;
        this.sources = sources;
        this.uploads = uploads;
        this.workers = workers;
        this.changes = changes;
    }

    /**
     * What became of an admission.
     *
     * @param created false = the name was there with this source
     */
    public record Admitted(Adapter adapter, boolean created) {}

    /** By name. */
    public List<Adapter> list() {
        return QuarkusTransaction.joiningExisting()
                .call(() -> models.served()
                        .map(model -> adapters.of(model).stream()
                                .map(AdapterEntity::view)
                                .toList())
                        .orElse(List.of()));
    }

    /** @throws ServiceException {@code ADAPTER_NOT_FOUND} naming it */
    public Adapter get(String name) {
        return QuarkusTransaction.joiningExisting()
                .call(() -> adapters.require(models.require(), name).view());
    }

    /** Oldest first. */
    public List<AdapterTransition> transitions(String name) {
        return QuarkusTransaction.joiningExisting()
                .call(() -> adapters.transitions(adapters.require(models.require(), name)));
    }

    /**
     * Everything there is to say about a PEFT folder, before it has a name.
     *
     * @param source relative to the adapters root
     * @throws ServiceException {@code INVALID_REQUEST} for a source outside the root
     */
    public AdapterReport check(String source) {
        sources.requireInside(source);
        return workers.route().check(sources.folder(source).toString());
    }

    /** As {@link #check}, of an upload, which is not kept. */
    public AdapterReport check(Map<String, Path> files) {
        return uploads.receive(files, this::ofFolder, false).report();
    }

    /** As {@link #check}, of a registered adapter: what its folder has now. */
    public AdapterReport report(String name) {
        return ofFolder(sources.folder(get(name).source()));
    }

    private AdapterReport ofFolder(Path folder) {
        return workers.route().check(folder.toString());
    }

    /**
     * Gives a PEFT folder that is usable a name; the worker loads it soon after.
     *
     * @param source relative to the adapters root
     * @throws ServiceException {@code INVALID_REQUEST} for the name, or a source outside the root; {@code INVALID_ADAPTER} with all findings;
     *     {@code CONFLICT} if the name is registered from another folder
     */
    public Admitted admit(String name, String source, Actor actor) {
        AdapterRegistration.requireName(name);
        requireUsable(check(source));
        return register(name, source, actor);
    }

    /**
     * As {@link #admit(String, String, Actor)}, of an upload.
     *
     * @param files by name; moved from where they are
     */
    public Admitted admit(String name, Map<String, Path> files, Actor actor) {
        AdapterRegistration.requireName(name);
        return register(name, uploads.receive(files, this::ofFolder, true), actor);
    }

    /** As {@link #check}, of a mixture, which is not kept. */
    public AdapterReport check(Mixture mixture) {
        return uploads.receive(stored(mixture)::write, this::ofFolder, false).report();
    }

    /**
     * Merges adapters into one, which is then as if it had been uploaded: those it was made of may change or go.
     *
     * @throws ServiceException {@code ADAPTER_NOT_FOUND} for one that is to be merged; {@code INVALID_ADAPTER} if they cannot be, or with all
     *     findings on what they became; otherwise as {@link #admit(String, String, Actor)}
     */
    public Admitted admit(String name, Mixture mixture, Actor actor) {
        AdapterRegistration.requireName(name);
        return register(name, uploads.receive(stored(mixture)::write, this::ofFolder, true), actor);
    }

    /**
     * What is to be merged.
     *
     * @param adapters by name; weights at least 0 where values are dropped
     */
    public record Mixture(
            List<WeightedAdapter> adapters, MergeStrategy strategy, double density, MajoritySign sign, long seed) {
        public Mixture {
            adapters = List.copyOf(adapters);
        }
    }

    private StoredMixture stored(Mixture mixture) {
        List<StoredMixture.Part> parts = mixture.adapters().stream()
                .map(part -> new StoredMixture.Part(part.name(), mergeable(part.name()), part.weight()))
                .toList();
        return new StoredMixture(parts, mixture.strategy(), mixture.density(), mixture.sign(), mixture.seed());
    }

    private Path mergeable(String name) {
        Adapter adapter = get(name);
        if (adapter.kind() == AdapterKind.XLORA) {
            throw new ServiceException(ErrorCode.INVALID_ADAPTER, "`" + name + "` cannot be merged: it is an X-LoRA");
        }
        return sources.folder(adapter.source());
    }

    private Admitted register(String name, AdapterUploads.Kept kept, Actor actor) {
        requireUsable(kept.report());
        try {
            return register(name, kept.source(), actor);
        } catch (ServiceException e) {
            discard(kept.source());
            throw e;
        }
    }

    /** What keeps {@code preload_adapters} that have no name yet from being usable; those registered have been checked. */
    List<Finding> findings(Ordering ordering) {
        Set<String> known = list().stream().map(Adapter::name).collect(Collectors.toSet());
        List<Finding> findings = new ArrayList<>();
        for (int i = 0; i < ordering.preloadAdapters().size(); i++) {
            PreloadAdapter preload = ordering.preloadAdapters().get(i);
            String path = "preload_adapters[" + i + "].adapter_model_id";
            if (!known.contains(preload.name())) {
                found(preload).forEach(found -> findings.add(new Finding(found.severity(), path, found.detail())));
            }
        }
        return findings;
    }

    private List<Finding> found(PreloadAdapter preload) {
        try {
            return check(sources.ofPreload(preload)).findings();
        } catch (ServiceException e) {
            if (e.code() != ErrorCode.INVALID_REQUEST) {
                throw e;
            }
            return List.of(Finding.error("", e.detail()));
        }
    }

    private static void requireUsable(AdapterReport report) {
        Finding.refuseErrors(ErrorCode.INVALID_ADAPTER, "the adapter", report.findings());
    }

    /**
     * Gives a folder a name, usable or not: loading will tell.
     *
     * @throws ServiceException as {@link #admit(String, String, Actor)}
     */
    Admitted register(String name, String source, Actor actor) {
        Admitted registered = QuarkusTransaction.requiringNew().call(() -> {
            BaseModelEntity model = models.lock();
            boolean created = adapters.named(model, name).isEmpty();
            return new Admitted(
                    registration.register(model, name, source, actor).view(), created);
        });
        changes.raise();
        return registered;
    }

    /**
     * Gives an adapter up: the worker drops it when its last request has ended, and its name is free. What was uploaded is deleted.
     *
     * @throws ServiceException {@code ADAPTER_NOT_FOUND}; {@code CONFLICT} while it is active, used by an alias, or being loaded
     */
    public void retire(String name, Actor actor) {
        Adapter retired = change(name, (model, row) -> registration.retire(model, row, actor));
        // Or a request that waits for it would find that its files are gone.
        await(name, known -> known.isEmpty(), FORGOTTEN);
        discard(retired.source());
    }

    /** Has an adapter on the device, even if another must go, and lets requests name it again. */
    public Adapter load(String name, Actor actor) {
        return change(name, (model, row) -> registration.load(model, row, actor));
    }

    /** Keeps an adapter on the device for ever, or as long as there is room. */
    public Adapter pin(String name, boolean pinned, Actor actor) {
        Residency residency = pinned ? Residency.PINNED : Residency.ON_DEMAND;
        return change(name, (model, row) -> registration.keep(model, row, residency, actor));
    }

    /**
     * What unloading gave back.
     *
     * @param bytesReleased on the device of this service; 0 = it was not there, or is still used
     * @param leases requests that still run with it
     */
    @JsonNaming(SnakeCaseStrategy.class)
    public record Unloaded(String name, long bytesReleased, int leases) {}

    /**
     * Refuses an adapter to new requests and drops it when the last that runs with it has ended.
     *
     * @param patience how long to wait for that
     * @throws ServiceException {@code ADAPTER_NOT_FOUND}; {@code CONFLICT} while it is active, or used by an alias
     */
    public Unloaded unload(String name, Duration patience, Actor actor) {
        boolean resident =
                status(name).filter(found -> found.tier() == Tier.DEVICE).isPresent();
        change(name, (model, row) -> registration.unload(model, row, actor));
        Optional<AdapterStatus> now = await(name, known -> known.isEmpty() || isOut(known.get()), patience);
        long bytes = now.filter(AdapterService::isOut).map(AdapterStatus::bytes).orElse(0L);
        return new Unloaded(
                name, resident ? bytes : 0, now.map(AdapterStatus::leases).orElse(0));
    }

    /** What this service's worker says of an adapter when it is so, or when patience ends. */
    private Optional<AdapterStatus> await(String name, Predicate<Optional<AdapterStatus>> wanted, Duration patience) {
        long deadline = System.nanoTime() + patience.toNanos();
        Optional<AdapterStatus> now = status(name);
        while (!wanted.test(now) && System.nanoTime() < deadline) {
            LockSupport.parkNanos(POLL.toNanos());
            now = status(name);
        }
        return now;
    }

    private static boolean isOut(AdapterStatus found) {
        return found.state() == AdapterStatus.State.UNLOADED && found.tier() == Tier.DISK;
    }

    private Optional<AdapterStatus> status(String name) {
        return workers.status().adapters().stream()
                .filter(found -> found.name().equals(name))
                .findFirst();
    }

    private Adapter change(String name, BiConsumer<BaseModelEntity, AdapterEntity> action) {
        Adapter changed = QuarkusTransaction.requiringNew().call(() -> {
            BaseModelEntity model = models.lock();
            AdapterEntity row = adapters.require(model, name);
            action.accept(model, row);
            return row.view();
        });
        changes.raise();
        return changed;
    }

    private void discard(String source) {
        QuarkusTransaction.requiringNew().run(() -> {
            models.lock(); // nobody registers it meanwhile
            if (!adapters.needs(source)) {
                uploads.discard(source);
            }
        });
    }
}
