package dev.lory.registry;

import dev.lory.error.ErrorCode;
import dev.lory.error.ServiceException;
import dev.lory.registry.Alias.Target;
import io.quarkus.narayana.jta.QuarkusTransaction;
import jakarta.enterprise.context.ApplicationScoped;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Collectors;
import org.jboss.logging.Logger;

/** Names for mixtures and canaries. Changes come one after another; each is a new revision of its name. Any thread may call. */
@ApplicationScoped
public class AliasService {
    private static final Logger LOG = Logger.getLogger(AliasService.class);

    private final BaseModels models;
    private final AliasRepository aliases;
    private final AliasValidator validator;
    private final AuditLog audit;
    /** The latest revision of each name, also of deleted ones, so that what is read late brings nothing old back. */
    private final AtomicReference<Map<String, Alias>> latest = new AtomicReference<>(Map.of());

    AliasService(BaseModels models, AliasRepository aliases, AliasValidator validator, AuditLog audit) {
        this.models = models;
        this.aliases = aliases;
        this.validator = validator;
        this.audit = audit;
    }

    /**
     * What became of a change.
     *
     * @param created whether the name was not there before
     * @param changed false = it stood for this already, at {@code alias}' revision
     */
    public record Changed(Alias alias, boolean created, boolean changed) {}

    /** By name; without the database: as of the last change here, and of the last poll for changes by other replicas. */
    public Map<String, Alias> current() {
        return latest.get().values().stream()
                .filter(alias -> !alias.targets().isEmpty())
                .collect(Collectors.toMap(Alias::name, alias -> alias, (a, b) -> b, TreeMap::new));
    }

    /** As in {@link #current}; 0 = there is no such name. */
    public int revisionOf(String name) {
        Alias known = current().get(name);
        return known == null ? 0 : known.revision();
    }

    /** By name. */
    public List<Alias> list() {
        return QuarkusTransaction.joiningExisting()
                .call(() -> models.served()
                        .map(model -> aliases.latest(model).stream()
                                .filter(alias -> !alias.isDeleted())
                                .map(AliasEntity::view)
                                .toList())
                        .orElse(List.of()));
    }

    /** {@code NOT_FOUND} if there is no such name. */
    public Alias get(String name) {
        return QuarkusTransaction.joiningExisting()
                .call(() -> models.served()
                        .flatMap(model -> aliases.named(model, name))
                        .map(AliasEntity::view)
                        .orElseThrow(() -> missing(name)));
    }

    /** Newest first, at least one; a deleted name keeps them. {@code NOT_FOUND} if there never was such a name. */
    public List<Alias> revisions(String name) {
        List<Alias> found = QuarkusTransaction.joiningExisting()
                .call(() -> models.served()
                        .map(model -> aliases.revisions(model, name).stream()
                                .map(AliasEntity::view)
                                .toList())
                        .orElse(List.of()));
        if (found.isEmpty()) {
            throw missing(name);
        }
        return found;
    }

    /** One revision; {@code NOT_FOUND} if there is no such name or number. */
    public Alias revision(String name, int number) {
        List<Alias> revisions = revisions(name);
        return revisions.stream()
                .filter(revision -> revision.revision() == number)
                .findFirst()
                .orElseThrow(() -> new ServiceException(
                        ErrorCode.NOT_FOUND,
                        "alias `" + name + "` has no revision " + number + "; the latest is "
                                + revisions.getFirst().revision()));
    }

    /**
     * Makes a name stand for targets, if {@code expectedRevision} is still its latest one.
     *
     * @param expectedRevision 0 = the name is not there
     * @throws ServiceException {@code REVISION_CONFLICT}; {@code INVALID_ALIAS} with every finding
     */
    public Changed replace(String name, List<Target> targets, long expectedRevision, String actor) {
        return published(() -> {
            BaseModelEntity model = models.lock();
            expect(name, expectedRevision, revisionOf(model, name));
            validator.refuseErrors(model, name, targets);
            return append(
                    model,
                    new AliasEntity(model, name, next(model, name), targets, AliasEntity.Cause.API, actor),
                    "replace",
                    actor);
        });
    }

    /**
     * Makes the targets of an older revision the latest again, as a new revision; also brings a deleted name back.
     *
     * @param expectedRevision as for {@link #replace}; empty = whatever is the latest
     * @throws ServiceException as {@link #replace}; {@code NOT_FOUND} if there is no such name or number; {@code CONFLICT} if the name
     *     was deleted by that revision
     */
    public Changed rollback(String name, int number, OptionalLong expectedRevision, String actor) {
        revision(name, number);
        return published(() -> {
            BaseModelEntity model = models.lock();
            expectedRevision.ifPresent(expected -> expect(name, expected, revisionOf(model, name)));
            AliasEntity old = aliases.revisions(model, name).stream()
                    .filter(row -> row.revision() == number)
                    .findFirst()
                    .orElseThrow(() -> missing(name));
            if (old.isDeleted()) {
                throw new ServiceException(
                        ErrorCode.CONFLICT,
                        "revision " + number + " of alias `" + name
                                + "` is its deletion; there is nothing to go back to");
            }
            validator.refuseErrors(model, name, old.targets());
            return append(model, old.again(model, next(model, name), actor), "rollback", actor);
        });
    }

    /**
     * Takes a name away; its revisions stay, and another alias of that name goes on counting.
     *
     * @throws ServiceException {@code NOT_FOUND}; {@code REVISION_CONFLICT}
     */
    public void delete(String name, long expectedRevision, String actor) {
        published(() -> {
            BaseModelEntity model = models.lock();
            AliasEntity last = aliases.named(model, name).orElseThrow(() -> missing(name));
            expect(name, expectedRevision, last.revision());
            return append(
                    model,
                    new AliasEntity(model, name, last.revision() + 1, List.of(), AliasEntity.Cause.DELETE, actor),
                    "delete",
                    actor);
        });
    }

    private Changed published(Callable<Changed> work) {
        Changed made = QuarkusTransaction.requiringNew().call(work);
        publish(List.of(made.alias()));
        return made;
    }

    /** Adds a revision, unless the latest one says the same. */
    private Changed append(BaseModelEntity model, AliasEntity wanted, String action, String actor) {
        Optional<AliasEntity> live = aliases.named(model, wanted.name());
        List<Target> before = live.map(AliasEntity::targets).orElse(List.of());
        if (live.isPresent() && before.equals(wanted.targets())) {
            return new Changed(live.get().view(), false, false);
        }
        aliases.persist(wanted);
        audit.record(actor, action, "alias/" + wanted.name(), words(before), words(wanted.targets()));
        return new Changed(wanted.view(), live.isEmpty(), true);
    }

    /** Makes revisions of this service or of another replica known here, where no newer ones are. */
    void publish(List<Alias> revisions) {
        Map<String, Alias> before = latest.getAndUpdate(known -> merged(known, revisions));
        for (Alias alias : revisions) {
            if (isNews(alias, before)) {
                LOG.infof(
                        "alias name=%s revision=%d targets=%s cause=%s actor=%s",
                        alias.name(), alias.revision(), words(alias.targets()), alias.cause(), alias.actor());
            }
        }
    }

    private static Map<String, Alias> merged(Map<String, Alias> known, List<Alias> revisions) {
        Map<String, Alias> merged = new HashMap<>(known);
        revisions.stream().filter(alias -> isNews(alias, known)).forEach(alias -> merged.put(alias.name(), alias));
        return Map.copyOf(merged);
    }

    private static boolean isNews(Alias alias, Map<String, Alias> known) {
        return !known.containsKey(alias.name()) || known.get(alias.name()).revision() < alias.revision();
    }

    /** 0 = there is none, or it was deleted. */
    private int revisionOf(BaseModelEntity model, String name) {
        return aliases.named(model, name).map(AliasEntity::revision).orElse(0);
    }

    private int next(BaseModelEntity model, String name) {
        return 1 + aliases.last(model, name).map(AliasEntity::revision).orElse(0);
    }

    private static void expect(String name, long expected, int found) {
        if (found != expected) {
            throw new ServiceException(
                    ErrorCode.REVISION_CONFLICT,
                    (found == 0 ? "there is no alias `" + name + "`" : "alias `" + name + "` is at revision " + found)
                            + (expected == 0 ? ", and the request is to make it" : ", If-Match names " + expected));
        }
    }

    private static ServiceException missing(String name) {
        return new ServiceException(ErrorCode.NOT_FOUND, "there is no alias `" + name + "`");
    }

    private static String words(List<Target> targets) {
        return targets.isEmpty()
                ? ""
                : targets.stream()
                        .map(target -> target.share() + "x" + ActivationService.words(target.adapters()))
                        .toList()
                        .toString();
    }
}
