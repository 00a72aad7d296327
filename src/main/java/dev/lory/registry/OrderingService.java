package dev.lory.registry;

import static dev.lory.error.ServiceException.invalid;

import dev.lory.digest.Sha256;
import dev.lory.error.ErrorCode;
import dev.lory.error.Finding;
import dev.lory.error.ServiceException;
import dev.lory.ordering.AdapterNames;
import dev.lory.ordering.Ordering;
import dev.lory.ordering.OrderingFile;
import dev.lory.ordering.OrderingGenerator;
import dev.lory.ordering.OrderingValidator;
import dev.lory.worker.GenerationRequest.WeightedAdapter;
import dev.lory.worker.WorkerStatus.ModelInfo;
import io.quarkus.narayana.jta.QuarkusTransaction;
import jakarta.enterprise.context.ApplicationScoped;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jboss.logging.Logger;

/** Ordering files: uploaded once, kept for ever, each content a revision of its name. Any thread may call. */
@ApplicationScoped
public class OrderingService {
    private static final Logger LOG = Logger.getLogger(OrderingService.class);

    private final BaseModels models;
    private final OrderingRepository orderings;
    private final AdapterService adapters;
    private final AdapterRegistration registration;
    private final ActivationService activations;
    private final WorkerDirectory workers;
    private final AuditLog audit;
    private final ChangeSignal changes;

    OrderingService(
            BaseModels models,
            OrderingRepository orderings,
            AdapterService adapters,
            AdapterRegistration registration,
            ActivationService activations,
            WorkerDirectory workers,
            AuditLog audit,
            ChangeSignal changes) {
        this.models = models;
        this.orderings = orderings;
        this.adapters = adapters;
        this.registration = registration;
        this.activations = activations;
        this.workers = workers;
        this.audit = audit;
        this.changes = changes;
    }

    /** What an upload does besides keeping the file. */
    public enum OnUpload {
        /** Nothing. */
        STORE,
        /** The adapters of {@code order} become the active set. */
        ACTIVATE,
        /** As {@link #ACTIVATE}, if the content is new and {@code order} names any. */
        ACTIVATE_IF_NEW
    }

    /**
     * What became of an upload.
     *
     * @param created false = the same content was there already, as {@code revision}
     * @param warnings what the file says that may not be meant
     * @param activation revision of the activation that was made; 0 = none
     */
    public record Uploaded(OrderingRevision revision, boolean created, List<Finding> warnings, long activation) {
        public Uploaded {
            warnings = List.copyOf(warnings);
        }
    }

    private record Stored(Uploaded uploaded, Optional<Activation> activation) {}

    /**
     * Keeps an ordering file and registers the adapters it names, all or nothing.
     *
     * @throws ServiceException {@code INVALID_ORDERING} with every finding; {@code INVALID_REQUEST} for the name;
     *     {@code CONFLICT} if an adapter of a name is registered from another folder
     */
    public Uploaded create(String name, byte[] content, String comment, OnUpload onUpload, Actor actor) {
        AdapterNames.fault(name).ifPresent(fault -> {
            throw invalid("name", "the name of the ordering " + fault);
        });
        Ordering ordering = OrderingFile.parse(content);
        List<Finding> findings = againstModel(ordering);
        OrderingFile.refuseErrors(findings);
        if (!actor.trusted()) {
            OrderingFile.refuseErrors(adapters.findings(ordering));
        }
        return published(() -> {
            BaseModelEntity model = models.lock();
            OrderingFileEntity file = orderings.named(model, name);
            String sha256 = Sha256.hex(content);
            Optional<OrderingRevisionEntity> existing = orderings.withDigest(file, sha256);
            return store(
                    model,
                    ordering,
                    existing.orElseGet(() -> insert(file, "upload", sha256, content, comment, actor)),
                    existing.isEmpty(),
                    findings,
                    onUpload,
                    actor);
        });
    }

    /**
     * Makes the content of an older revision the latest again, as a new revision.
     *
     * @return not created if it is the latest already
     * @throws ServiceException as {@link #create}; {@code NOT_FOUND} if there is no such name or number
     */
    public Uploaded rollback(String name, int number, OnUpload onUpload, Actor actor) {
        OrderingRevision wanted = revision(name, number);
        List<Finding> findings = againstModel(wanted.content());
        OrderingFile.refuseErrors(findings);
        return published(() -> {
            BaseModelEntity model = models.lock();
            OrderingFileEntity file = orderings.named(model, name);
            OrderingRevisionEntity old =
                    orderings.withDigest(file, wanted.sha256()).orElseThrow();
            boolean isLast = orderings.last(file).filter(old::equals).isPresent();
            String comment = "rollback to revision " + number;
            return store(
                    model,
                    wanted.content(),
                    isLast ? old : insert(file, "rollback", old.sha256(), old.content(), comment, actor),
                    !isLast,
                    findings,
                    onUpload,
                    actor);
        });
    }

    /** Everything there is to say about a file, which is not kept: what is wrong in itself, else what does not fit the model. */
    public List<Finding> validate(byte[] content) {
        List<Finding> findings = OrderingFile.findings(content);
        return findings.isEmpty() ? againstModel(OrderingFile.parse(content)) : findings;
    }

    /**
     * An ordering file for the served model, which is not kept.
     *
     * @param baseModelId empty = what the served model is called
     * @throws ServiceException {@code INVALID_REQUEST} naming a target the model does not have
     */
    public Ordering generate(String baseModelId, List<String> targets, List<String> adapters) {
        ModelInfo served = workers.status().model();
        return OrderingGenerator.generate(
                served.linearSites(), baseModelId.isEmpty() ? served.name() : baseModelId, targets, adapters);
    }

    private List<Finding> againstModel(Ordering ordering) {
        ModelInfo served = workers.status().model();
        return OrderingValidator.validate(ordering, served.linearSites(), served.name());
    }

    private Uploaded published(Callable<Stored> work) {
        Stored stored = QuarkusTransaction.requiringNew().call(work);
        stored.activation().ifPresent(activations::publish);
        changes.raise();
        return stored.uploaded();
    }

    private Stored store(
            BaseModelEntity model,
            Ordering ordering,
            OrderingRevisionEntity revision,
            boolean created,
            List<Finding> warnings,
            OnUpload onUpload,
            Actor actor) {
        registration.register(model, ordering, actor);
        Optional<Activation> activation = activates(onUpload, created, ordering)
                ? Optional.of(activate(model, ordering, revision, actor))
                : Optional.empty();
        return new Stored(
                new Uploaded(
                        revision.view(),
                        created,
                        warnings,
                        activation.map(Activation::revision).orElse(0L)),
                activation);
    }

    private static boolean activates(OnUpload onUpload, boolean created, Ordering ordering) {
        return switch (onUpload) {
            case STORE -> false;
            case ACTIVATE -> true;
            case ACTIVATE_IF_NEW -> created && !ordering.order().isEmpty();
        };
    }

    private OrderingRevisionEntity insert(
            OrderingFileEntity file, String action, String sha256, byte[] content, String comment, Actor actor) {
        int last = orderings.last(file).map(OrderingRevisionEntity::revision).orElse(0);
        OrderingRevisionEntity made =
                new OrderingRevisionEntity(file, last + 1, sha256, content, comment, actor.name());
        orderings.persist(made);
        String before = last == 0 ? "" : "revision " + last;
        String after = "revision " + made.revision() + " sha256 " + sha256;
        audit.record(actor.name(), action, "ordering/" + file.name(), before, after);
        LOG.infof(
                "ordering name=%s revision=%d sha256=%s actor=%s", file.name(), made.revision(), sha256, actor.name());
        return made;
    }

    private Activation activate(
            BaseModelEntity model, Ordering ordering, OrderingRevisionEntity revision, Actor actor) {
        List<WeightedAdapter> adapters = ordering.order().stream()
                .map(adapter -> new WeightedAdapter(adapter, 1))
                .toList();
        return activations.insert(
                model, ActivationEntity.byOrder(model, adapters, revision.id(), actor.name()), actor.name());
    }

    /** The latest revision of each name, by name. */
    public List<OrderingRevision> list() {
        return QuarkusTransaction.joiningExisting()
                .call(() -> models.served()
                        .map(model -> views(orderings.latest(model)))
                        .orElse(List.of()));
    }

    /** The latest revision; {@code NOT_FOUND} if there is no such name. */
    public OrderingRevision get(String name) {
        return revisions(name).getFirst();
    }

    /** Newest first, at least one; {@code NOT_FOUND} if there is no such name. */
    public List<OrderingRevision> revisions(String name) {
        return QuarkusTransaction.joiningExisting()
                .call(() -> models.served()
                        .map(model -> views(orderings.revisions(model, name)))
                        .orElseThrow(() ->
                                new ServiceException(ErrorCode.NOT_FOUND, "there is no ordering `" + name + "`")));
    }

    /** One revision; {@code NOT_FOUND} if there is no such name or number. */
    public OrderingRevision revision(String name, int number) {
        List<OrderingRevision> revisions = revisions(name);
        return revisions.stream()
                .filter(revision -> revision.revision() == number)
                .findFirst()
                .orElseThrow(() -> new ServiceException(
                        ErrorCode.NOT_FOUND,
                        "ordering `" + name + "` has no revision " + number + "; the latest is "
                                + revisions.getFirst().revision()));
    }

    private static List<OrderingRevision> views(List<OrderingRevisionEntity> rows) {
        return rows.stream().map(OrderingRevisionEntity::view).toList();
    }
}
