package dev.lory.registry;

import dev.lory.adapter.AdapterReport;
import dev.lory.error.ErrorCode;
import dev.lory.error.ServiceException;
import dev.lory.worker.AdapterKind;
import dev.lory.worker.XLoraStatus;
import dev.lory.xlora.XLoraOverrides;
import io.quarkus.narayana.jta.QuarkusTransaction;
import jakarta.enterprise.context.ApplicationScoped;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;
import java.util.function.UnaryOperator;

/** The adapters that are X-LoRAs, and their settings. Any thread may call. */
@ApplicationScoped
public class XLoraService {
    private static final Duration POLL = Duration.ofMillis(5);
    /** How long a change waits for this service's worker, which may be loading something. */
    private static final Duration EFFECTIVE = Duration.ofSeconds(5);

    private final BaseModels models;
    private final AdapterRepository adapters;
    private final AdapterService adapterService;
    private final AdapterSources sources;
    private final XLoraSettingsRepository settings;
    private final AuditLog audit;
    private final WorkerDirectory workers;
    private final ChangeSignal changes;

    XLoraService(
            BaseModels models,
            AdapterRepository adapters,
            AdapterService adapterService,
            AdapterSources sources,
            XLoraSettingsRepository settings,
            AuditLog audit,
            WorkerDirectory workers,
            ChangeSignal changes) {
        this.models = models;
        this.adapters = adapters;
        this.adapterService = adapterService;
        this.sources = sources;
        this.settings = settings;
        this.audit = audit;
        this.workers = workers;
        this.changes = changes;
    }

    /** By name. */
    public List<XLora> list() {
        List<XLoraStatus> known = workers.xloras();
        return QuarkusTransaction.joiningExisting()
                .call(() -> models.served()
                        .map(model -> adapters.of(model).stream()
                                .filter(row -> row.kind() == AdapterKind.XLORA)
                                .map(row -> view(row, known))
                                .toList())
                        .orElse(List.of()));
    }

    /** @throws ServiceException {@code ADAPTER_NOT_FOUND} naming it, also if it is another adapter */
    public XLora get(String name) {
        List<XLoraStatus> known = workers.xloras();
        return QuarkusTransaction.joiningExisting().call(() -> view(require(models.require(), name), known));
    }

    /** Newest first; none if it never was otherwise than its package says. As {@link #get}. */
    public List<XLoraRevision> revisions(String name) {
        return QuarkusTransaction.joiningExisting()
                .call(() -> settings.revisions(require(models.require(), name)).stream()
                        .map(XLoraSettingsEntity::view)
                        .toList());
    }

    /**
     * As {@link AdapterService#admit(String, String, Actor)}, of nothing but an X-LoRA.
     *
     * @throws ServiceException as there; {@code INVALID_ADAPTER} if it is none
     */
    public Admitted admit(String name, String source, Actor actor) {
        requirePackage(source);
        boolean created = adapterService.admit(name, source, actor).created();
        return new Admitted(get(name), created);
    }

    /** What became of an admission; as {@link AdapterService.Admitted}. */
    public record Admitted(XLora xlora, boolean created) {}

    /** As {@link AdapterService#check(String)}, of nothing but an X-LoRA. */
    public AdapterReport check(String source) {
        requirePackage(source);
        return adapterService.check(source);
    }

    private void requirePackage(String source) {
        sources.requireInside(source);
        if (AdapterKind.of(sources.folder(source)) != AdapterKind.XLORA) {
            throw new ServiceException(
                    ErrorCode.INVALID_ADAPTER,
                    "`" + source + "` is no X-LoRA: it has neither xlora_config.json nor an adapter_config.json with"
                            + " peft_type XLORA",
                    Map.of("param", "source"));
        }
    }

    /** As {@link AdapterService#retire}, of nothing but an X-LoRA. */
    public void retire(String name, Actor actor) {
        get(name);
        adapterService.retire(name, actor);
    }

    /**
     * Changes how it is to be otherwise than its package says, if {@code expectedRevision} is still its latest one. Requests that come after
     * it has returned have it; those under way end as they began.
     *
     * @param change from what is to what is to be
     * @throws ServiceException {@code ADAPTER_NOT_FOUND}; {@code REVISION_CONFLICT}; {@code INVALID_REQUEST} naming a field
     */
    public XLora change(String name, UnaryOperator<XLoraOverrides> change, long expectedRevision, String actor) {
        long desired = QuarkusTransaction.requiringNew().call(() -> {
            BaseModelEntity model = models.lock();
            AdapterEntity row = require(model, name);
            Optional<XLoraSettingsEntity> last = settings.latest(row);
            int revision = last.map(XLoraSettingsEntity::revision).orElse(0);
            if (revision != expectedRevision) {
                throw new ServiceException(
                        ErrorCode.REVISION_CONFLICT,
                        "X-LoRA `" + name + "` is at revision " + revision + ", If-Match names " + expectedRevision);
            }
            XLoraOverrides before = last.map(XLoraSettingsEntity::overrides).orElse(XLoraOverrides.NONE);
            XLoraOverrides after = change.apply(before);
            check(name, after);
            if (!after.equals(before)) {
                settings.persist(new XLoraSettingsEntity(row, revision + 1, after, actor));
                audit.record(actor, "set", "xlora/" + name, before.toString(), after.toString());
                model.changed();
            }
            return model.desiredRevision();
        });
        changes.raise();
        await(desired);
        return get(name);
    }

    private void check(String name, XLoraOverrides overrides) {
        overrides.check("");
        named(name, workers.xloras())
                .ifPresent(known -> overrides.check("", known.adapters().size()));
    }

    private void await(long revision) {
        long deadline = System.nanoTime() + EFFECTIVE.toNanos();
        while (workers.status().appliedRevision() < revision && System.nanoTime() < deadline) {
            LockSupport.parkNanos(POLL.toNanos());
        }
    }

    private XLora view(AdapterEntity row, List<XLoraStatus> known) {
        Optional<XLoraSettingsEntity> set = settings.latest(row);
        return new XLora(
                row.name(),
                row.source(),
                row.digest(),
                row.state(),
                row.stateReason(),
                set.map(XLoraSettingsEntity::revision).orElse(0),
                set.map(XLoraSettingsEntity::overrides).orElse(XLoraOverrides.NONE),
                named(row.name(), known).map(XLora.OnWorker::of).stream().toList());
    }

    private static Optional<XLoraStatus> named(String name, List<XLoraStatus> known) {
        return known.stream().filter(xlora -> xlora.name().equals(name)).findFirst();
    }

    private AdapterEntity require(BaseModelEntity model, String name) {
        AdapterEntity row = adapters.require(model, name);
        if (row.kind() != AdapterKind.XLORA) {
            throw new ServiceException(
                    ErrorCode.ADAPTER_NOT_FOUND,
                    "`" + name + "` is no X-LoRA; it is at /api/v1/adapters/" + name,
                    Map.of("param", "name"));
        }
        return row;
    }
}
