package dev.lory.registry;

import static dev.lory.error.ServiceException.invalid;

import dev.lory.error.ErrorCode;
import dev.lory.error.ServiceException;
import dev.lory.worker.AdapterKind;
import dev.lory.worker.GenerationRequest.WeightedAdapter;
import io.quarkus.narayana.jta.QuarkusTransaction;
import jakarta.enterprise.context.ApplicationScoped;
import java.util.HashSet;
import java.util.List;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;
import java.util.function.LongConsumer;
import org.jboss.logging.Logger;

/** Which adapters run for requests that name none. Activations come one after another; each is a new revision. Any thread may call. */
@ApplicationScoped
public class ActivationService {
    private static final Logger LOG = Logger.getLogger(ActivationService.class);
    private static final int LISTED = 200;
    /** As mistral.rs says it, for clients that look for it. */
    private static final String XLORA_SENTENCE =
            "Adapter activation is not supported for X-LoRA models as the adapter set must remain the same.";

    private final BaseModels models;
    private final AdapterRepository adapters;
    private final ActivationRepository activations;
    private final AuditLog audit;
    private final ChangeSignal changes;
    private final AtomicReference<Activation> current = new AtomicReference<>(Activation.NONE);

    ActivationService(
            BaseModels models,
            AdapterRepository adapters,
            ActivationRepository activations,
            AuditLog audit,
            ChangeSignal changes) {
        this.models = models;
        this.adapters = adapters;
        this.activations = activations;
        this.audit = audit;
        this.changes = changes;
    }

    /** Without the database: as of the last change here, and of the last poll for changes by other replicas. */
    public Activation current() {
        return current.get();
    }

    /**
     * Replaces the active set, all or nothing.
     *
     * @param wanted empty = the base model
     * @throws ServiceException {@code ADAPTER_NOT_FOUND} naming the unknown one, {@code CONFLICT} for one that failed to load,
     *     {@code INVALID_REQUEST} for one named twice, a weight that is no finite number, or an X-LoRA, which brings its own set
     */
    public Activation activate(List<WeightedAdapter> wanted, String actor) {
        return activate(wanted, actor, revision -> {});
    }

    /** As {@link #activate}, if {@code expectedRevision} is still the current one; {@code REVISION_CONFLICT} otherwise. */
    public Activation activateIf(long expectedRevision, List<WeightedAdapter> wanted, String actor) {
        return activate(wanted, actor, current -> expect(expectedRevision, current));
    }

    /**
     * Makes the set of an older revision the current one again, as a new revision.
     *
     * @param expectedRevision as for {@link #activateIf}; empty = whatever is current
     * @throws ServiceException as {@link #activateIf}; {@code NOT_FOUND} if there is no revision {@code to}
     */
    public Activation rollback(long to, OptionalLong expectedRevision, String actor) {
        LongConsumer precondition = current -> expectedRevision.ifPresent(expected -> expect(expected, current));
        return append(
                actor,
                precondition,
                model -> activations
                        .revision(model, to)
                        .map(old -> ActivationEntity.byRollback(model, old, actor))
                        .orElseThrow(() -> new ServiceException(
                                ErrorCode.NOT_FOUND, "there is no activation with revision " + to)));
    }

    private static void expect(long expected, long current) {
        if (current != expected) {
            throw new ServiceException(
                    ErrorCode.REVISION_CONFLICT,
                    "the current activation is revision " + current + ", If-Match names " + expected);
        }
    }

    /** Newest first, at most 200. */
    public List<Activation> list() {
        return QuarkusTransaction.joiningExisting()
                .call(() -> models.served()
                        .map(model -> activations.newest(model, LISTED).stream()
                                .map(ActivationEntity::view)
                                .toList())
                        .orElse(List.of()));
    }

    private Activation activate(List<WeightedAdapter> wanted, String actor, LongConsumer precondition) {
        check(wanted);
        return append(actor, precondition, model -> ActivationEntity.byRequest(model, wanted, actor));
    }

    private Activation append(
            String actor, LongConsumer precondition, Function<BaseModelEntity, ActivationEntity> wanted) {
        Activation made = QuarkusTransaction.requiringNew().call(() -> {
            BaseModelEntity model = models.lock();
            precondition.accept(
                    activations.latest(model).map(ActivationEntity::revision).orElse(0L));
            return insert(model, wanted.apply(model), actor);
        });
        publish(made);
        return made;
    }

    /** The part inside the transaction, which must hold the lock of {@code model}; the caller publishes after the commit. */
    Activation insert(BaseModelEntity model, ActivationEntity wanted, String actor) {
        for (WeightedAdapter adapter : wanted.adapters()) {
            AdapterEntity row = adapters.require(model, adapter.name());
            if (row.kind() == AdapterKind.XLORA) {
                throw invalid("adapters", XLORA_SENTENCE);
            }
            if (row.state() == AdapterState.FAILED) {
                throw new ServiceException(
                        ErrorCode.CONFLICT,
                        "adapter `" + row.name() + "` is FAILED and cannot be activated: " + row.stateReason());
            }
        }
        String before =
                activations.latest(model).map(row -> words(row.adapters())).orElse("");
        activations.persist(wanted);
        audit.record(actor, "activate", "activation/" + wanted.revision(), before, words(wanted.adapters()));
        return wanted.view();
    }

    /** Makes an activation of this service or of another replica the current one here, unless a newer one is. */
    void publish(Activation made) {
        Activation before = current.getAndAccumulate(made, (a, b) -> b.revision() > a.revision() ? b : a);
        if (made.revision() > before.revision()) {
            LOG.infof(
                    "activation revision=%d adapters=%s cause=%s actor=%s",
                    made.revision(), words(made.adapters()), made.cause(), made.actor());
            changes.raise();
        }
    }

    private static void check(List<WeightedAdapter> wanted) {
        Set<String> seen = new HashSet<>();
        for (WeightedAdapter adapter : wanted) {
            if (!seen.add(adapter.name())) {
                throw invalid("adapters", "adapters names `" + adapter.name() + "` twice");
            }
            if (!Float.isFinite(adapter.weight())) {
                throw invalid(
                        "adapters",
                        "the weight of adapter `" + adapter.name() + "` must be a finite number but is "
                                + adapter.weight());
            }
        }
    }

    /** A set for logs and audit rows. */
    static String words(List<WeightedAdapter> adapters) {
        return adapters.stream()
                .map(adapter -> adapter.weight() == 1 ? adapter.name() : adapter.name() + "*" + adapter.weight())
                .toList()
                .toString();
    }
}
