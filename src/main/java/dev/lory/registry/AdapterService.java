package dev.lory.registry;

import dev.lory.error.ErrorCode;
import dev.lory.error.ServiceException;
import io.quarkus.narayana.jta.QuarkusTransaction;
import jakarta.enterprise.context.ApplicationScoped;
import java.util.List;

/** The adapters that requests may name. Any thread may call. */
@ApplicationScoped
public class AdapterService {
    private final BaseModels models;
    private final AdapterRepository adapters;
    private final AdapterRegistration registration;
    private final ChangeSignal changes;

    AdapterService(
            BaseModels models, AdapterRepository adapters, AdapterRegistration registration, ChangeSignal changes) {
        this.models = models;
        this.adapters = adapters;
        this.registration = registration;
        this.changes = changes;
    }

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
                .call(() -> adapters.require(served(), name).view());
    }

    /** Oldest first. */
    public List<AdapterTransition> transitions(String name) {
        return QuarkusTransaction.joiningExisting().call(() -> adapters.transitions(adapters.require(served(), name)));
    }

    /**
     * Gives a PEFT folder a name; the worker loads it soon after.
     *
     * @param source relative to the adapters root
     * @throws ServiceException {@code INVALID_REQUEST} for the name, or a source outside the root; {@code CONFLICT} if the name is
     *     registered from another folder and the actor is a client
     */
    public Adapter register(String name, String source, Actor actor) {
        Adapter registered = QuarkusTransaction.requiringNew()
                .call(() -> registration
                        .register(models.lock(), name, source, actor)
                        .view());
        changes.raise();
        return registered;
    }

    private BaseModelEntity served() {
        return models.served()
                .orElseThrow(() -> new ServiceException(
                        ErrorCode.UNAVAILABLE, "the served model is not registered yet; try again later"));
    }
}
