package dev.lory.worker;

import dev.lory.adapter.AdapterWeights;
import dev.lory.model.LinearSite;
import dev.lory.worker.DesiredState.DesiredAdapter;
import dev.lory.worker.DesiredState.Residency;
import dev.lory.worker.WorkerStatus.AdapterStatus;
import dev.lory.worker.WorkerStatus.Tier;
import dev.lory.xlora.XLoraSettings;
import dev.lory.xlora.XLoraTally;
import dev.lory.xlora.XLoraWeights;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** A wanted adapter, and where its weights are. Guarded by {@link ResidentAdapters}. */
final class AdapterEntry {
    /** What loading it for the first time found. */
    private record Facts(String digest, int rank, long bytes, List<String> targetModules) {
        static final Facts NONE = new Facts("", 0, 0, List.of());
    }

    /** The same of an X-LoRA, and what its adapters have counted since. */
    private record XLoraFacts(List<String> adapters, List<String> sites, XLoraSettings settings, XLoraTally tally) {}

    DesiredAdapter wanted;

    /** Why it cannot be loaded; empty if nothing is known against it. */
    String failure = "";

    boolean loading;
    /** Requests that wait for it. */
    int waiting;
    /** Nobody may have it any more: the name has another source, or none. */
    boolean gone;

    private Facts facts = Facts.NONE;
    /** What it is beyond an adapter, if it is an X-LoRA. */
    private @Nullable XLoraFacts xlora;

    private @Nullable Resident resident;
    /** Dropped, but still in its slot. */
    private @Nullable Resident leaving;

    AdapterEntry(DesiredAdapter wanted) {
        this.wanted = wanted;
        this.loading = wanted.residency() != Residency.UNLOADED;
    }

    /** Where new requests find it. */
    Optional<Resident> resident() {
        return Optional.ofNullable(resident);
    }

    void enter(Resident in) {
        resident = in;
    }

    /** New requests do not find it any more. */
    void leave() {
        leaving = resident;
        resident = null;
    }

    /** Its slot is free. */
    void left(Resident out) {
        if (leaving == out) {
            leaving = null;
        }
    }

    boolean isFailed() {
        return !failure.isEmpty();
    }

    boolean isUnloaded() {
        return wanted.residency() == Residency.UNLOADED;
    }

    boolean isPinned() {
        return wanted.residency() == Residency.PINNED;
    }

    /** Whether what was read under this name is what it was before. */
    boolean matches(AdapterWeights weights) {
        return facts == Facts.NONE || facts.digest().equals(weights.digest());
    }

    void describe(AdapterWeights weights) {
        facts = new Facts(weights.digest(), weights.rank(), weights.bytes(), weights.targetModules());
        if (xlora == null && weights instanceof XLoraWeights found) {
            xlora = new XLoraFacts(
                    found.names(),
                    found.sites().stream().map(LinearSite::path).toList(),
                    found.settings(),
                    new XLoraTally(found));
        }
    }

    /** Of an X-LoRA that was loaded at least once. */
    XLoraTally tally() {
        return Objects.requireNonNull(xlora).tally();
    }

    /** Empty if it is no X-LoRA, or that is not known yet. */
    Optional<XLoraStatus> xloraStatus() {
        return Optional.ofNullable(xlora)
                .map(known -> new XLoraStatus(
                        wanted.name(),
                        known.adapters(),
                        known.sites(),
                        wanted.overrides().apply(known.settings()),
                        known.tally().statistics()));
    }

    AdapterStatus status() {
        Resident in = resident == null ? leaving : resident;
        return new AdapterStatus(
                wanted.name(),
                wanted.source(),
                state(),
                failure,
                facts.digest(),
                facts.rank(),
                facts.bytes(),
                facts.targetModules(),
                in == null ? Tier.DISK : Tier.DEVICE,
                isPinned(),
                in == null ? 0 : in.leases,
                waiting);
    }

    private AdapterStatus.State state() {
        if (isFailed()) {
            return AdapterStatus.State.FAILED;
        }
        if (isUnloaded()) {
            return AdapterStatus.State.UNLOADED;
        }
        // known ones are only fetched: requests wait, and need not be told
        return loading && facts == Facts.NONE ? AdapterStatus.State.LOADING : AdapterStatus.State.READY;
    }
}
