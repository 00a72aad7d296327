package dev.lory.worker;

import dev.lory.adapter.AdapterSet;
import dev.lory.adapter.LoraWeights;
import dev.lory.worker.GenerationEvent.UsedAdapter;
import dev.lory.xlora.XLoraOverrides;
import dev.lory.xlora.XLoraRun;
import dev.lory.xlora.XLoraSettings;
import dev.lory.xlora.XLoraWeights;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** What a request runs with, until {@link ResidentAdapters#release}. */
final class Lease {
    private final List<UsedAdapter> used;
    private final List<Resident> residents;
    /** As set for the first of them when the request came. */
    private final XLoraOverrides overrides;

    private Runnable turn = () -> {};

    /** For who holds the lock of {@link ResidentAdapters}. */
    Lease(List<UsedAdapter> used, List<Resident> residents) {
        this.used = List.copyOf(used);
        this.residents = List.copyOf(residents);
        overrides = residents.isEmpty()
                ? XLoraOverrides.NONE
                : residents.getFirst().entry.wanted.overrides();
    }

    /** What is summed; nothing if it is an X-LoRA. */
    AdapterSet set() {
        List<AdapterSet.Member> members = new ArrayList<>();
        for (int i = 0; i < residents.size(); i++) {
            Resident resident = residents.get(i);
            if (resident.weights instanceof LoraWeights lora) {
                members.add(new AdapterSet.Member(
                        lora.digest(), resident.slots.getFirst(), used.get(i).weight()));
            }
        }
        return AdapterSet.of(members);
    }

    /** Empty if it is none. @throws ServiceException {@code INVALID_REQUEST} if it cannot be as the request wants it */
    Optional<XLoraRun> xlora(XLoraOptions options) {
        for (Resident resident : residents) {
            if (resident.weights instanceof XLoraWeights weights) {
                options.overrides().check("xlora.", weights.experts().size());
                XLoraSettings settings = options.overrides().orElse(overrides).apply(weights.settings());
                return Optional.of(
                        XLoraRun.of(weights, resident.slots, settings, resident.entry.tally(), options.traced()));
            }
        }
        return Optional.empty();
    }

    /** Also has a turn until then. */
    void hold(Runnable givesBack) {
        turn = givesBack;
    }

    /** Gives back what it has beyond the adapters. */
    void giveBack() {
        turn.run();
    }

    List<UsedAdapter> used() {
        return used;
    }

    /** Which it keeps where they are. */
    List<Resident> residents() {
        return residents;
    }
}
