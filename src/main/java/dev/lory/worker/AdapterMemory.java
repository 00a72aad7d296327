package dev.lory.worker;

import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.Optional;
import java.util.SequencedSet;

/** What adapters take of the device, and who goes first when another needs the room. Guarded by {@link ResidentAdapters}. */
final class AdapterMemory {
    private final ResidencyLimits limits;
    /** The one not used for longest first. */
    private final SequencedSet<Resident> residents = new LinkedHashSet<>();

    private long bytes;
    private int leavingCount;
    private long leavingBytes;

    AdapterMemory(ResidencyLimits limits) {
        this.limits = limits;
    }

    ResidencyLimits limits() {
        return limits;
    }

    int count() {
        return residents.size() + leavingCount;
    }

    long bytes() {
        return bytes + leavingBytes;
    }

    boolean hasSlot() {
        return fits(count(), 0);
    }

    boolean hasRoom(long more) {
        return fits(count(), bytes() + more);
    }

    /** Once everybody has gone who is about to. */
    boolean willHaveRoom(long more) {
        return fits(residents.size(), bytes + more);
    }

    private boolean fits(int loras, long wanted) {
        return (limits.maxLoras() == 0 || loras < limits.maxLoras())
                && (limits.maxBytes() == 0 || wanted <= limits.maxBytes());
    }

    void add(Resident resident) {
        residents.add(resident);
        bytes += resident.weights.bytes();
    }

    /** Its room is not free yet. */
    void leave(Resident resident) {
        residents.remove(resident);
        bytes -= resident.weights.bytes();
        leavingCount++;
        leavingBytes += resident.weights.bytes();
    }

    /** It is. */
    void left(Resident resident) {
        leavingCount--;
        leavingBytes -= resident.weights.bytes();
    }

    void touch(Resident resident) {
        residents.remove(resident);
        residents.addLast(resident);
    }

    /** Who may go at once. */
    Optional<Resident> idle() {
        return residents.stream()
                .filter(resident -> resident.leases == 0 && isEvictable(resident))
                .findFirst();
    }

    /** Who may go when its requests have ended, but none of these. */
    Optional<Resident> busy(Collection<Resident> kept) {
        return residents.stream()
                .filter(resident -> resident.leases > 0 && isEvictable(resident) && !kept.contains(resident))
                .findFirst();
    }

    private static boolean isEvictable(Resident resident) {
        return !resident.dropped && !resident.entry.isPinned();
    }

    /** Nobody in line wants anything any more. */
    void releaseHeld() {
        residents.forEach(resident -> resident.held = false);
    }
}
