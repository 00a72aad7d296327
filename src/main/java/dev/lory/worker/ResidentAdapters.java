package dev.lory.worker;

import static dev.lory.error.ServiceException.invalid;

import dev.lory.adapter.AdapterSlots;
import dev.lory.adapter.AdapterWeights;
import dev.lory.error.ErrorCode;
import dev.lory.error.ServiceException;
import dev.lory.worker.DesiredState.DesiredAdapter;
import dev.lory.worker.GenerationEvent.UsedAdapter;
import dev.lory.worker.GenerationRequest.WeightedAdapter;
import dev.lory.worker.WorkerStatus.AdapterStatus;
import dev.lory.worker.WorkerStatus.ResidencyStatus;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The wanted adapters by name, those of them that are on the device, and who uses them. A request leases what it runs with: an adapter that is
 * dropped, evicted or replaced meanwhile stays in its slot until the last lease is back.
 *
 * <p>Who needs an adapter that is on disk gets in line. Only the first in line reads files and takes slots, so that nobody waits for another
 * while he holds what that one waits for. After {@link Patience#drain} a busy adapter makes room for him: whoever names it from then on gets
 * in line, too, so that nobody waits for ever. Any thread may call.
 */
final class ResidentAdapters {
    /**
     * How long requests wait.
     *
     * @param line for an adapter while nobody in line gets his, until they are refused
     * @param drain for a slot, until one is cleared for them
     * @param maxWaiting at the same time; more are refused at once
     */
    record Patience(Duration line, Duration drain, int maxWaiting) {
        static Patience usual(int maxWaiting) {
            return new Patience(Duration.ofSeconds(30), Duration.ofSeconds(2), maxWaiting);
        }
    }

    /**
     * The engine's side.
     *
     * @param loader reads a folder
     * @param onEngine runs an action on the slots, between two steps, and returns its result
     * @param later the same without waiting
     */
    record Device(
            Function<String, AdapterWeights> loader,
            Function<Function<AdapterSlots, List<Integer>>, List<Integer>> onEngine,
            Consumer<Consumer<AdapterSlots>> later) {}

    private final Device device;
    private final Patience patience;
    private final Map<String, AdapterEntry> entries = new LinkedHashMap<>();
    private final AdapterMemory memory;
    private final AdapterLine line;
    private long appliedRevision;
    private final AdapterTraffic traffic = new AdapterTraffic();

    ResidentAdapters(Device device, ResidencyLimits limits, Patience patience) {
        this.device = device;
        this.memory = new AdapterMemory(limits);
        this.patience = patience;
        this.line = new AdapterLine(patience);
    }

    synchronized long appliedRevision() {
        return appliedRevision;
    }

    /** As {@link Worker#apply}; one caller at a time. @return names of the adapters that were loaded */
    List<String> apply(DesiredState desired) {
        boolean first = appliedRevision() == 0;
        List<String> loaded = new ArrayList<>();
        boolean full = false;
        for (AdapterEntry entry : adopt(desired)) {
            boolean asked = entry.isPinned() || !first && entry.wanted.wantedAt() > appliedRevision();
            if (asked || !full && hasSlot()) {
                boolean there = preload(entry, asked);
                full |= !asked && !there && !entry.isFailed();
                if (there) {
                    loaded.add(entry.wanted.name());
                }
            }
            synchronized (this) {
                entry.loading = false;
            }
        }
        synchronized (this) {
            appliedRevision = Math.max(appliedRevision, desired.revision());
        }
        return loaded;
    }

    private synchronized boolean hasSlot() {
        return memory.hasSlot();
    }

    /** @return the entries whose weights may be fetched */
    private synchronized List<AdapterEntry> adopt(DesiredState desired) {
        List<AdapterEntry> toLoad = new ArrayList<>();
        if (desired.revision() <= appliedRevision) {
            return toLoad;
        }
        Map<String, AdapterEntry> wanted = new LinkedHashMap<>();
        for (DesiredAdapter adapter : desired.adapters()) {
            AdapterEntry known = entries.remove(adapter.name());
            AdapterEntry entry = known != null && !known.isFailed() && known.wanted.isSameContent(adapter)
                    ? known
                    : new AdapterEntry(adapter);
            if (entry != known) {
                forget(known);
            }
            boolean news = entry != known || entry.isUnloaded() || adapter.wantedAt() > entry.wanted.wantedAt();
            entry.wanted = adapter;
            if (entry.isUnloaded()) {
                drop(entry);
            } else if (entry.resident().isEmpty() && (news || entry.isPinned())) {
                toLoad.add(entry);
            }
            wanted.put(adapter.name(), entry);
        }
        entries.values().forEach(this::forget);
        entries.clear();
        entries.putAll(wanted);
        notifyAll();
        return toLoad;
    }

    private boolean preload(AdapterEntry entry, boolean evicting) {
        try {
            Optional<Resident> resident = line.first(() -> bring(entry, evicting, Set.of()));
            resident.ifPresent(there -> release(List.of(there)));
            return resident.isPresent();
        } catch (ServiceException e) {
            return false; // its status says why
        }
    }

    private void forget(@Nullable AdapterEntry entry) {
        if (entry != null) {
            entry.gone = true;
            drop(entry);
        }
    }

    private void drop(AdapterEntry entry) {
        entry.resident().ifPresent(resident -> {
            entry.leave();
            resident.dropped = true;
            freeIfUnused(resident);
        });
    }

    private void freeIfUnused(Resident resident) {
        if (resident.dropped && resident.leases == 0) {
            memory.leave(resident);
            device.later().accept(slots -> {
                resident.slots.forEach(slots::remove);
                resident.weights.close();
                left(resident);
            });
        }
    }

    private synchronized void left(Resident resident) {
        memory.left(resident);
        resident.entry.left(resident);
        notifyAll();
    }

    /**
     * What a request runs with; may wait until it is on the device.
     *
     * @throws ServiceException {@code ADAPTER_NOT_FOUND}, {@code UNAVAILABLE}, {@code OVERLOADED}, {@code INVALID_REQUEST}, naming the adapter
     */
    Lease lease(List<WeightedAdapter> adapters) {
        return leaseResidents(adapters).orElseGet(() -> leaseInLine(adapters));
    }

    private Lease leaseInLine(List<WeightedAdapter> adapters) {
        long began = System.nanoTime();
        List<AdapterEntry> awaited = awaited(adapters);
        try {
            return line.first(() -> {
                Optional<Lease> lease = Optional.empty();
                while (lease.isEmpty()) {
                    lease = leaseBrought(adapters);
                }
                return lease.get();
            });
        } finally {
            synchronized (this) {
                traffic.waited(began);
                awaited.forEach(entry -> entry.waiting--);
            }
        }
    }

    private synchronized List<AdapterEntry> awaited(List<WeightedAdapter> adapters) {
        List<AdapterEntry> awaited = adapters.stream()
                .map(adapter -> usable(adapter.name()))
                .filter(entry -> entry.resident().isEmpty())
                .toList();
        awaited.forEach(entry -> entry.waiting++);
        traffic.miss();
        return awaited;
    }

    /** Empty if one of them was replaced meanwhile. */
    private Optional<Lease> leaseBrought(List<WeightedAdapter> adapters) {
        Set<Resident> held = new HashSet<>();
        try {
            for (WeightedAdapter adapter : adapters) {
                bring(waiting(adapter.name()), true, held).ifPresent(held::add);
            }
            return leased(adapters);
        } finally {
            release(held); // the lease counts for itself
        }
    }

    /** Empty if not all are on the device, or somebody waits for their slots. */
    private synchronized Optional<Lease> leaseResidents(List<WeightedAdapter> adapters) {
        requireSet(adapters);
        for (WeightedAdapter adapter : adapters) {
            if (usable(adapter.name())
                    .resident()
                    .filter(resident -> !resident.held)
                    .isEmpty()) {
                return Optional.empty();
            }
        }
        if (!adapters.isEmpty()) {
            traffic.hit();
        }
        return leased(adapters);
    }

    private void requireSet(List<WeightedAdapter> adapters) {
        Set<String> names = new HashSet<>();
        for (WeightedAdapter adapter : adapters) {
            if (!Float.isFinite(adapter.weight())) {
                throw invalid("adapters", "the weight of adapter " + adapter.name() + " is " + adapter.weight());
            }
            if (!names.add(adapter.name())) {
                throw invalid("adapters", "adapter " + adapter.name() + " is named twice");
            }
        }
        int max = memory.limits().maxLoras();
        if (max > 0 && adapters.size() > max) {
            throw invalid(
                    "adapters",
                    adapters.size() + " adapters are named, but --max-loras allows " + max + " at the same time");
        }
    }

    private AdapterEntry usable(String name) {
        AdapterEntry entry = entries.get(name);
        if (entry == null) {
            throw notFound("adapter " + name + " is not there");
        }
        if (entry.isUnloaded()) {
            throw notFound("adapter " + name + " is unloaded");
        }
        if (entry.isFailed()) {
            throw notLoaded(entry);
        }
        return entry;
    }

    /** Without the reason, which may name files: it is in the adapter's status. */
    private static ServiceException notLoaded(AdapterEntry entry) {
        return new ServiceException(
                ErrorCode.UNAVAILABLE, "adapter " + entry.wanted.name() + " could not be loaded; its state says why");
    }

    private synchronized AdapterEntry waiting(String name) {
        return usable(name);
    }

    private static ServiceException notFound(String detail) {
        return new ServiceException(ErrorCode.ADAPTER_NOT_FOUND, detail, Map.of("param", "adapters"));
    }

    /** Empty if not all are on the device. */
    private synchronized Optional<Lease> leased(List<WeightedAdapter> adapters) {
        List<UsedAdapter> used = new ArrayList<>();
        List<Resident> residents = new ArrayList<>();
        for (WeightedAdapter adapter : adapters) {
            Optional<Resident> there = usable(adapter.name()).resident();
            if (there.isEmpty()) {
                return Optional.empty();
            }
            Resident resident = there.get();
            requireSummable(adapter, resident.weights, adapters.size());
            residents.add(resident);
            used.add(new UsedAdapter(adapter.name(), resident.weights.digest(), adapter.weight()));
        }
        residents.forEach(this::use);
        return Optional.of(new Lease(used, residents));
    }

    /** DoRA and whole weights are no deltas: with others, PEFT's result would depend on the order, and a weight has no meaning. */
    private static void requireSummable(WeightedAdapter adapter, AdapterWeights weights, int adapters) {
        if (!weights.aloneBecause().isEmpty() && (adapters > 1 || adapter.weight() != 1)) {
            throw invalid(
                    "adapters",
                    "adapter " + adapter.name() + " can only run alone and with weight 1, because "
                            + weights.aloneBecause());
        }
    }

    private Resident use(Resident resident) {
        resident.leases++;
        memory.touch(resident);
        return resident;
    }

    void release(Lease lease) {
        release(lease.residents());
        lease.giveBack();
    }

    private synchronized void release(Iterable<Resident> residents) {
        for (Resident resident : residents) {
            resident.leases--;
            freeIfUnused(resident);
        }
        notifyAll();
    }

    /** The adapter on the device, with a lease; empty if it was given up meanwhile. For the first in line. */
    private Optional<Resident> bring(AdapterEntry entry, boolean evicting, Set<Resident> kept) {
        synchronized (this) {
            Optional<Resident> there = entry.resident();
            if (there.isPresent()) {
                use(there.get());
                return there;
            }
        }
        try {
            AdapterWeights weights = load(entry);
            try {
                makeRoom(entry, weights.bytes(), evicting, kept);
            } catch (RuntimeException e) {
                weights.close();
                throw e;
            }
            List<Integer> taken = device.onEngine()
                    .apply(slots -> weights.parts().stream().map(slots::put).toList());
            return settle(entry, new Resident(entry, weights, taken));
        } catch (ServiceException e) {
            if (isGone(entry)) {
                return Optional.empty(); // its files may be gone, too
            }
            throw e;
        }
    }

    private synchronized boolean isGone(AdapterEntry entry) {
        return entry.gone;
    }

    private AdapterWeights load(AdapterEntry entry) {
        long began = System.nanoTime();
        try {
            AdapterWeights weights = device.loader().apply(entry.wanted.source());
            synchronized (this) {
                traffic.loaded(began);
                if (!entry.matches(weights)) {
                    weights.close();
                    throw new ServiceException(
                            ErrorCode.INVALID_ADAPTER,
                            entry.wanted.source()
                                    + " has other content than when it was first loaded; register it again");
                }
                entry.describe(weights);
            }
            return weights;
        } catch (ServiceException e) {
            synchronized (this) {
                entry.failure = e.detail();
            }
            throw notLoaded(entry);
        }
    }

    private synchronized void makeRoom(AdapterEntry entry, long bytes, boolean evicting, Set<Resident> kept) {
        long max = memory.limits().maxBytes();
        if (max > 0 && bytes > max) {
            entry.failure = "it takes " + bytes + " bytes, --max-lora-bytes allows " + max;
            throw new ServiceException(
                    ErrorCode.UNAVAILABLE, "adapter " + entry.wanted.name() + " does not fit: " + entry.failure);
        }
        long began = System.nanoTime();
        try {
            while (!memory.hasRoom(bytes)) {
                long waited = System.nanoTime() - began;
                if (!evicting || waited >= patience.line().toNanos()) {
                    throw line.noRoom();
                }
                Optional<Resident> idle = memory.idle();
                if (memory.willHaveRoom(bytes) || idle.isEmpty()) {
                    awaitRelease(waited, kept);
                } else {
                    evict(idle.get());
                }
            }
        } finally {
            memory.releaseHeld();
        }
    }

    private void evict(Resident resident) {
        traffic.evicted();
        drop(resident.entry);
    }

    private void awaitRelease(long waited, Set<Resident> kept) {
        boolean draining = waited >= patience.drain().toNanos();
        if (draining) {
            memory.busy(kept).ifPresent(resident -> resident.held = true);
        }
        Duration until = (draining ? patience.line() : patience.drain()).minusNanos(waited);
        try {
            wait(Math.max(1, until.toMillis()));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ServiceException(ErrorCode.UNAVAILABLE, "the service is stopping");
        }
    }

    private synchronized Optional<Resident> settle(AdapterEntry entry, Resident resident) {
        memory.add(resident);
        if (entry.gone || entry.isUnloaded()) {
            resident.dropped = true;
            freeIfUnused(resident);
            return Optional.empty();
        }
        entry.enter(resident);
        return Optional.of(use(resident));
    }

    synchronized List<AdapterStatus> status() {
        return entries.values().stream().map(AdapterEntry::status).toList();
    }

    synchronized List<XLoraStatus> xloras() {
        return entries.values().stream()
                .map(AdapterEntry::xloraStatus)
                .flatMap(Optional::stream)
                .toList();
    }

    synchronized ResidencyStatus residency() {
        return traffic.status(memory);
    }
}
