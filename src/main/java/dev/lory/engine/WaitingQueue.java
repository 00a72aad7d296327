package dev.lory.engine;

import dev.lory.adapter.AdapterSetKey;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/**
 * Sequences that wait, in a fair order: deficit round robin over adapter sets (Shreedhar and Varghese, SIGCOMM 1995), each set first come, first
 * served. A sequence costs the tokens it may have, prompt and output; those it did not use are given back when it ends.
 *
 * <p>The bound: whoever is first of his set and costs {@code c} waits for at most {@code ⌈c / quantum⌉} turns of each other set that waits, and
 * for at most {@code turns · quantum + m} of its tokens, where {@code m} is its dearest sequence and tokens given back do not count. So a set with a thousand sequences holds up one
 * with a single sequence no more than a set with two does.
 */
final class WaitingQueue {
    /** The sequences of one set. */
    private static final class Line {
        final AdapterSetKey set;
        final Deque<Sequence> sequences = new ArrayDeque<>();
        long credit;

        Line(AdapterSetKey set, long credit) {
            this.set = set;
            this.credit = credit;
        }
    }

    private final int quantum;
    private final Places places;
    /** Gave their blocks back and come first: they have paid. */
    private final Deque<Sequence> preempted = new ArrayDeque<>();

    private final Map<AdapterSetKey, Line> lines = new HashMap<>();
    /** The same in the order of their turns. */
    private final Deque<Line> turns = new ArrayDeque<>();

    private int size;

    /**
     * @param quantum tokens that a set may have in a turn, and keeps for the next while it waits
     * @param places given back by whoever leaves for the first time
     */
    WaitingQueue(int quantum, Places places) {
        this.quantum = quantum;
        this.places = places;
    }

    int size() {
        return size;
    }

    boolean isEmpty() {
        return size == 0;
    }

    /** A newcomer, who has a place. */
    void add(Sequence sequence) {
        Line line = lines.computeIfAbsent(sequence.adapters.key(), this::arrive);
        line.sequences.addLast(sequence);
        size++;
    }

    private Line arrive(AdapterSetKey set) {
        Line line = new Line(set, quantum);
        turns.addLast(line);
        return line;
    }

    /** One that was running. */
    void putBack(Sequence sequence) {
        preempted.addFirst(sequence);
        size++;
    }

    /** Who is next; the same until it is removed. There must be one. */
    Sequence first() {
        if (!preempted.isEmpty()) {
            return preempted.getFirst();
        }
        Line line = turns.getFirst();
        while (line.credit < cost(line.sequences.getFirst())) {
            line.credit += quantum;
            turns.addLast(turns.removeFirst());
            line = turns.getFirst();
        }
        return line.sequences.getFirst();
    }

    /** Removes {@link #first}, which runs from now on. */
    Sequence removeFirst() {
        Sequence first = first();
        if (preempted.isEmpty()) {
            turns.getFirst().credit -= cost(first);
        }
        remove(first);
        return first;
    }

    private static int cost(Sequence sequence) {
        return sequence.maxLength;
    }

    /** One that ran has ended: what it did not use may be used by those who wait for the same set, but is not hoarded. */
    void settle(Sequence sequence) {
        Line line = lines.get(sequence.adapters.key());
        if (line != null) {
            long most = Math.max(line.credit, quantum + cost(sequence));
            line.credit = Math.min(line.credit + cost(sequence) - sequence.length(), most);
        }
    }

    /** Removes a sequence, if it is here. */
    void remove(Sequence sequence) {
        Line line = lines.get(sequence.adapters.key());
        if (preempted.remove(sequence)) {
            size--;
        } else if (line != null && line.sequences.remove(sequence)) {
            size--;
            places.leave(line.set);
            if (line.sequences.isEmpty()) {
                lines.remove(line.set);
                turns.remove(line);
            }
        }
    }

    /** Removes and passes on those that were cancelled. */
    void removeCancelled(Consumer<Sequence> cancelled) {
        if (!isEmpty() && isAnyCancelled()) {
            all().stream().filter(Sequence::isCancelled).forEach(sequence -> {
                remove(sequence);
                cancelled.accept(sequence);
            });
        }
    }

    private boolean isAnyCancelled() {
        for (Sequence sequence : preempted) {
            if (sequence.isCancelled()) {
                return true;
            }
        }
        for (Line line : turns) {
            for (Sequence sequence : line.sequences) {
                if (sequence.isCancelled()) {
                    return true;
                }
            }
        }
        return false;
    }

    /** Everyone here. */
    List<Sequence> all() {
        List<Sequence> all = new ArrayList<>(preempted);
        turns.forEach(line -> all.addAll(line.sequences));
        return all;
    }
}
