package dev.lory.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lory.adapter.AdapterSet;
import dev.lory.adapter.AdapterSet.Member;
import dev.lory.sampling.SamplingParams;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Fairness between adapter sets, and the bound that {@link WaitingQueue} promises. */
final class WaitingQueueTest {
    private static final int QUANTUM = 64;
    private static final int SETS = 6;

    private final Places places = new Places(100_000);
    private final WaitingQueue queue = new WaitingQueue(QUANTUM, places);
    private final List<AdapterSet> sets =
            IntStream.range(0, SETS).mapToObj(WaitingQueueTest::set).toList();

    private static AdapterSet set(int number) {
        return number == 0 ? AdapterSet.BASE : AdapterSet.of(List.of(new Member("digest" + number, number, 1)));
    }

    private Sequence sequence(int set, int prompt, int max) {
        return new Sequence(
                new int[prompt], max, sets.get(set), SamplingParams.DEFAULT, new int[0], 0, 8, new RecordingSink());
    }

    private Sequence add(int set, int max) {
        Sequence sequence = sequence(set, 1, max);
        assertThat(places.take(sequence.adapters.key())).isTrue();
        queue.add(sequence);
        return sequence;
    }

    /** What the test knows of one set: who waits, and what each other set took since its first became first. */
    private static final class Known {
        final Deque<Sequence> waiting = new ArrayDeque<>();
        final Map<Known, Integer> taken = new HashMap<>();
        int dearest;
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
    void nobodyWaitsLongerThanTheBound(long seed) {
        Random random = new Random(seed);
        Map<AdapterSet, Known> known = new HashMap<>();
        List<Sequence> running = new ArrayList<>();
        int admitted = 0;
        for (int step = 0; step < 20_000; step++) {
            if (random.nextInt(5) < 2) {
                int number = (int) (SETS * Math.pow(random.nextDouble(), 3));
                Sequence sequence = add(number, 2 + random.nextInt(number == 1 ? 400 : 40));
                Known own = known.computeIfAbsent(sequence.adapters, set -> new Known());
                own.waiting.addLast(sequence);
                own.dearest = Math.max(own.dearest, sequence.maxLength);
            } else if (!queue.isEmpty() && random.nextInt(2) == 0) {
                assertThat(queue.first()).isSameAs(queue.first());
                Sequence first = queue.removeFirst();
                Known own = known.computeIfAbsent(first.adapters, set -> new Known());
                assertThat(own.waiting.removeFirst())
                        .as("seed %d: in order", seed)
                        .isSameAs(first);
                own.taken.clear();
                take(known, own, first.maxLength, seed);
                running.add(first);
                admitted++;
            } else if (!running.isEmpty()) {
                Sequence ended = running.remove(random.nextInt(running.size()));
                queue.settle(ended);
                Known own = known.computeIfAbsent(ended.adapters, set -> new Known());
                if (!own.waiting.isEmpty()) {
                    take(known, own, ended.length() - ended.maxLength, seed);
                }
            }
            assertThat(queue.size()).isEqualTo(queue.all().size());
        }
        assertThat(admitted).isGreaterThan(3000);
    }

    private static void take(Map<AdapterSet, Known> known, Known taker, int tokens, long seed) {
        for (Known other : known.values()) {
            if (other != taker && !other.waiting.isEmpty()) {
                int turns = Math.ceilDiv(other.waiting.getFirst().maxLength, QUANTUM);
                assertThat(other.taken.merge(taker, tokens, Integer::sum))
                        .as("seed %d: beyond the bound", seed)
                        .isLessThanOrEqualTo(turns * QUANTUM + taker.dearest);
            }
        }
    }

    @Test
    void aCrowdOfOneSetHoldsUpAnotherNoMoreThanATurn() {
        for (int i = 0; i < 1000; i++) {
            add(1, 10);
        }
        Sequence lonely = add(2, 10);
        int before = 0;
        while (queue.removeFirst() != lonely) {
            before++;
        }
        assertThat(before).isEqualTo(QUANTUM / 10);
    }

    @Test
    void whoGaveHisBlocksBackComesFirstAndPaysOnce() {
        Sequence one = add(1, 60);
        add(2, 60);
        Sequence again = add(1, 60);
        assertThat(queue.removeFirst()).isSameAs(one);
        queue.putBack(one);
        assertThat(queue.removeFirst()).isSameAs(one);
        assertThat(queue.removeFirst().adapters).isEqualTo(sets.get(2));
        assertThat(queue.removeFirst()).isSameAs(again);
        assertThat(queue.isEmpty()).isTrue();
    }

    @Test
    void whatWasNotUsedIsGivenBack() {
        Sequence one = add(1, QUANTUM);
        Sequence two = add(1, QUANTUM - 1);
        add(2, QUANTUM);
        assertThat(queue.removeFirst()).isSameAs(one);
        queue.settle(one); // of its tokens it had one
        assertThat(queue.removeFirst()).isSameAs(two);
    }

    @Test
    void passesOnWhoWasCancelledWhereverHeWaits() {
        Sequence waits = add(1, 10);
        Sequence runs = add(2, 10);
        Sequence stays = add(2, 10);
        queue.remove(runs);
        queue.putBack(runs);
        waits.cancel();
        runs.cancel();
        List<Sequence> gone = new ArrayList<>();
        queue.removeCancelled(gone::add);
        assertThat(gone).containsExactlyInAnyOrder(waits, runs);
        assertThat(queue.all()).containsExactly(stays);
    }

    @Test
    void oneSetCannotTakeAllPlaces() {
        Places few = new Places(90);
        int first = 0;
        while (few.take(sets.get(1).key())) {
            first++;
        }
        int second = 0;
        while (few.take(sets.get(2).key())) {
            second++;
        }
        assertThat(first).isEqualTo(80);
        assertThat(second).isBetween(8, 9);
        assertThat(few.take(sets.get(3).key())).as("a third one").isTrue();
        for (int i = 0; i < first; i++) {
            few.leave(sets.get(1).key());
        }
        assertThat(few.take(sets.get(1).key())).isTrue();
    }
}
