package dev.lory.worker;

import dev.lory.adapter.AdapterSet;
import dev.lory.adapter.AdapterSlots;
import dev.lory.adapter.LoraWeights;
import dev.lory.error.ErrorCode;
import dev.lory.error.ServiceException;
import dev.lory.worker.DesiredState.DesiredAdapter;
import dev.lory.worker.GenerationEvent.UsedAdapter;
import dev.lory.worker.GenerationRequest.WeightedAdapter;
import dev.lory.worker.WorkerStatus.AdapterStatus;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The wanted adapters by name, and who uses them. A request leases what it runs with: an adapter that is dropped or replaced meanwhile
 * stays in its slot until the last lease is back. Any thread may call; nothing in here takes long but {@link #apply}.
 */
final class ResidentAdapters {
    /** An adapter in its slot. */
    private static final class Resident {
        final LoraWeights weights;
        final int slot;
        int leases;
        boolean dropped;

        Resident(LoraWeights weights, int slot) {
            this.weights = weights;
            this.slot = slot;
        }
    }

    /** A wanted adapter: loading until it has a resident or a reason why not. */
    private static final class Entry {
        final DesiredAdapter wanted;

        @Nullable
        Resident resident;

        @Nullable
        String failure;

        Entry(DesiredAdapter wanted) {
            this.wanted = wanted;
        }
    }

    /** What a request runs with, until {@link #release}. */
    static final class Lease {
        private final AdapterSet set;
        private final List<UsedAdapter> used;
        private final List<Resident> residents;

        private Lease(AdapterSet set, List<UsedAdapter> used, List<Resident> residents) {
            this.set = set;
            this.used = List.copyOf(used);
            this.residents = List.copyOf(residents);
        }

        AdapterSet set() {
            return set;
        }

        List<UsedAdapter> used() {
            return used;
        }
    }

    private final Map<String, Entry> entries = new LinkedHashMap<>();
    private final Function<String, LoraWeights> loader;
    private final Function<Function<AdapterSlots, Integer>, Integer> onEngine;
    private final Consumer<Consumer<AdapterSlots>> later;
    private long appliedRevision;

    /**
     * @param loader reads a PEFT folder
     * @param onEngine runs an action on the slots, between two steps, and returns its result
     * @param later the same without waiting
     */
    ResidentAdapters(
            Function<String, LoraWeights> loader,
            Function<Function<AdapterSlots, Integer>, Integer> onEngine,
            Consumer<Consumer<AdapterSlots>> later) {
        this.loader = loader;
        this.onEngine = onEngine;
        this.later = later;
    }

    synchronized long appliedRevision() {
        return appliedRevision;
    }

    /** As {@link Worker#apply}; one caller at a time. @return names of the adapters that were loaded */
    List<String> apply(DesiredState desired) {
        List<Entry> toLoad = adopt(desired);
        toLoad.forEach(this::load);
        synchronized (this) {
            appliedRevision = Math.max(appliedRevision, desired.revision());
            return toLoad.stream()
                    .filter(entry -> entry.resident != null)
                    .map(entry -> entry.wanted.name())
                    .toList();
        }
    }

    private synchronized List<Entry> adopt(DesiredState desired) {
        List<Entry> toLoad = new ArrayList<>();
        if (desired.revision() <= appliedRevision) {
            return toLoad;
        }
        Map<String, Entry> wanted = new LinkedHashMap<>();
        for (DesiredAdapter adapter : desired.adapters()) {
            Entry known = entries.remove(adapter.name());
            if (known != null && known.resident != null && known.wanted.equals(adapter)) {
                wanted.put(adapter.name(), known);
            } else {
                Entry entry = new Entry(adapter);
                wanted.put(adapter.name(), entry);
                toLoad.add(entry);
                drop(known);
            }
        }
        entries.values().forEach(this::drop);
        entries.clear();
        entries.putAll(wanted);
        return toLoad;
    }

    private void load(Entry entry) {
        try {
            LoraWeights weights = loader.apply(entry.wanted.source());
            int slot = onEngine.apply(slots -> slots.put(weights));
            synchronized (this) {
                entry.resident = new Resident(weights, slot);
            }
        } catch (ServiceException e) {
            synchronized (this) {
                entry.failure = e.detail();
            }
        }
    }

    private void drop(@Nullable Entry entry) {
        if (entry != null && entry.resident != null) {
            entry.resident.dropped = true;
            freeIfUnused(entry.resident);
        }
    }

    private void freeIfUnused(Resident resident) {
        if (resident.dropped && resident.leases == 0) {
            later.accept(slots -> {
                slots.remove(resident.slot);
                resident.weights.close();
            });
        }
    }

    /** @throws ServiceException {@code ADAPTER_NOT_FOUND}, {@code UNAVAILABLE}, {@code INVALID_REQUEST}, naming the adapter */
    synchronized Lease lease(List<WeightedAdapter> adapters) {
        List<AdapterSet.Member> members = new ArrayList<>();
        List<UsedAdapter> used = new ArrayList<>();
        List<Resident> residents = new ArrayList<>();
        for (WeightedAdapter adapter : adapters) {
            Resident resident = resident(adapter);
            if (residents.contains(resident)) {
                throw ServiceException.invalid("adapters", "adapter " + adapter.name() + " is named twice");
            }
            requireSummable(adapter, resident.weights, adapters.size());
            residents.add(resident);
            String digest = resident.weights.digest();
            members.add(new AdapterSet.Member(digest, resident.slot, adapter.weight()));
            used.add(new UsedAdapter(adapter.name(), digest, adapter.weight()));
        }
        residents.forEach(resident -> resident.leases++);
        return new Lease(AdapterSet.of(members), used, residents);
    }

    /** DoRA and whole weights are no deltas: with others, PEFT's result would depend on the order, and a weight has no meaning. */
    private static void requireSummable(WeightedAdapter adapter, LoraWeights weights, int adapters) {
        if (!weights.exclusive().isEmpty() && (adapters > 1 || adapter.weight() != 1)) {
            throw ServiceException.invalid(
                    "adapters",
                    "adapter " + adapter.name()
                            + " can only run alone and with weight 1, because its configuration has "
                            + weights.exclusive());
        }
    }

    private Resident resident(WeightedAdapter adapter) {
        String name = adapter.name();
        if (!Float.isFinite(adapter.weight())) {
            throw ServiceException.invalid("adapters", "the weight of adapter " + name + " is " + adapter.weight());
        }
        Entry entry = entries.get(name);
        if (entry == null) {
            throw new ServiceException(
                    ErrorCode.ADAPTER_NOT_FOUND, "adapter " + name + " is not there", Map.of("param", "adapters"));
        }
        Resident resident = entry.resident;
        if (resident == null) {
            throw new ServiceException(
                    ErrorCode.UNAVAILABLE,
                    entry.failure == null
                            ? "adapter " + name + " is being loaded"
                            : "adapter " + name + " could not be loaded: " + entry.failure);
        }
        return resident;
    }

    synchronized void release(Lease lease) {
        for (Resident resident : lease.residents) {
            resident.leases--;
            freeIfUnused(resident);
        }
    }

    synchronized List<AdapterStatus> status() {
        return entries.values().stream().map(ResidentAdapters::status).toList();
    }

    private static AdapterStatus status(Entry entry) {
        String name = entry.wanted.name();
        String source = entry.wanted.source();
        Resident resident = entry.resident;
        if (resident == null) {
            String failure = entry.failure;
            AdapterStatus.State state = failure == null ? AdapterStatus.State.LOADING : AdapterStatus.State.FAILED;
            return new AdapterStatus(name, source, state, failure == null ? "" : failure, "", 0, 0, List.of(), 0);
        }
        LoraWeights weights = resident.weights;
        return new AdapterStatus(
                name,
                source,
                AdapterStatus.State.READY,
                "",
                weights.digest(),
                weights.rank(),
                weights.bytes(),
                weights.targetModules(),
                resident.leases);
    }
}
