package dev.lory.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lory.adapter.AdapterSet;
import dev.lory.adapter.AdapterSet.Member;
import dev.lory.kernel.StepBatch;
import dev.lory.sampling.SamplingParams;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Random traffic over a pool that is too small, with a fake model: what was written to a slot is what is read from it. */
final class SchedulerTest {
    private static final int BLOCK = 4;
    private static final int BLOCKS = 24;
    private static final int MAX_ROWS = 16;
    private static final int MAX_RUNNING = 6;

    private final BlockPool pool = new BlockPool(BLOCKS, BLOCK);
    private final Places places = new Places(1000);
    private final Scheduler scheduler =
            new Scheduler(pool, MAX_RUNNING, MAX_ROWS, places, SchedulerTest::rotation, new StepCost(100));
    /** What a KV cache would hold: for each slot the content that its key and value depend on. */
    private final String[] slots = new String[BLOCKS * BLOCK];

    private final List<Sequence> live = new ArrayList<>();

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
    void keepsItsInvariantsUnderRandomTraffic(long seed) {
        Random random = new Random(seed);
        int finished = 0;
        int submitted = 0;
        for (int step = 0; step < 3000 && finished < 150; step++) {
            if (submitted < 150 && random.nextInt(3) == 0) {
                live.add(submit(random));
                submitted++;
            }
            if (!live.isEmpty() && random.nextInt(40) == 0) {
                live.get(random.nextInt(live.size())).cancel();
            }
            Step next = scheduler.schedule();
            checkBatch(next.batch(), seed);
            scheduler.took(1_000_000L * random.nextInt(1, 300));
            for (int i = 0; i < next.size(); i++) {
                compute(next, i);
            }
            for (int i = 0; i < next.size(); i++) {
                Sequence sequence = next.pass(i).sequence;
                if (sequence.pass(0).computed() == sequence.length()) {
                    sequence.append(random.nextInt(3));
                    if (sequence.length() >= sequence.maxLength) {
                        scheduler.finish(sequence);
                    }
                }
            }
            int before = live.size();
            live.removeIf(sequence -> sequence.state == Sequence.State.FINISHED);
            finished += before - live.size();
            assertThat(scheduler.isConsistent()).as("seed %d", seed).isTrue();
        }
        assertThat(finished).as("seed %d: every sequence ends", seed).isEqualTo(150);
        assertThat(pool.free()).isEqualTo(BLOCKS);
        assertThat(scheduler.preemptions()).as("the pool was too small").isPositive();
        assertThat(scheduler.cachedTokens()).as("prompts were shared").isPositive();
    }

    private Sequence submit(Random random) {
        int[] prompt = new int[1 + random.nextInt(40)];
        Arrays.setAll(prompt, i -> i < 12 ? 7 : random.nextInt(3)); // many begin alike
        int slot = random.nextInt(3);
        AdapterSet adapters =
                slot == 2 ? AdapterSet.BASE : AdapterSet.of(List.of(new Member("digest" + slot, slot, 1)));
        SamplingParams params = random.nextInt(6) == 0
                ? SamplingParams.builder().promptLogprobs(0).build()
                : SamplingParams.DEFAULT;
        int max = prompt.length + 1 + random.nextInt(30);
        Sequence sequence = new Sequence(prompt, max, adapters, params, new int[0], 0, 8, new RecordingSink());
        assertThat(places.take(sequence.adapters.key())).isTrue();
        scheduler.add(sequence);
        return sequence;
    }

    /** Stores each row's content, then checks that every earlier position holds what the sequence computed or shares. */
    private void compute(Step step, int i) {
        Pass pass = step.pass(i);
        Sequence sequence = pass.sequence;
        for (int p = pass.computed(); p < pass.computed() + step.count(i); p++) {
            slots[slot(pass, p)] = content(sequence, p);
        }
        for (int p = 0; p < pass.computed() + step.count(i); p++) {
            assertThat(slots[slot(pass, p)]).isEqualTo(content(sequence, p));
        }
        pass.advance(pool, step.count(i));
    }

    private static int slot(Pass pass, int position) {
        return pass.table()[position / BLOCK] * BLOCK + position % BLOCK;
    }

    /** Rotary angles that change once, and then with every token. */
    private static int rotation(int length) {
        return length <= 20 ? 0 : length <= 45 ? 1 : length;
    }

    /** A key depends on the adapters, the angles and all tokens up to its own. */
    private static String content(Sequence sequence, int position) {
        return sequence.adapters.key().hex()
                + rotation(sequence.length())
                + Arrays.toString(Arrays.copyOf(sequence.tokens(), position + 1));
    }

    private static void checkBatch(StepBatch batch, long seed) {
        assertThat(batch.rows()).as("seed %d", seed).isLessThanOrEqualTo(MAX_ROWS);
        assertThat(batch.sequences()).isLessThanOrEqualTo(MAX_RUNNING);
        Set<Integer> written = new HashSet<>();
        for (int row = 0; row < batch.rows(); row++) {
            assertThat(written.add(batch.slot(row)))
                    .as("seed %d: a slot written twice", seed)
                    .isTrue();
        }
        for (int g = 1; g < batch.adapters().groups(); g++) {
            assertThat(batch.adapters().key(g)).isGreaterThan(batch.adapters().key(g - 1));
        }
    }

    @Test
    void givesEveryRunningSequenceARowBesideALongPrompt() {
        Sequence running = submitFixed(3, 10);
        Step first = scheduler.schedule();
        compute(first, 0);
        running.append(1);
        submitFixed(40, 41);
        submitFixed(2, 10);
        Step step = scheduler.schedule();
        assertThat(step.pass(0).sequence).isSameAs(running);
        assertThat(step.count(0)).isEqualTo(1);
        assertThat(step.batch().rows()).isEqualTo(MAX_ROWS);
        compute(step, 0);
        compute(step, 1);
        running.append(1);
        Step next = scheduler.schedule();
        assertThat(next.pass(0).sequence).isSameAs(running);
        assertThat(next.count(1)).isEqualTo(MAX_ROWS - 1);
    }

    @Test
    void cutsAPromptSoThatWhoIsAnsweredNeedNotWait() {
        StepCost slow = new StepCost(100);
        slow.took(1, 0, 5_000_000); // a row of a prompt takes a hundred milliseconds, the next token of an answer five
        slow.took(1, 16, 1_600_000_000);
        assertThat(slow.promptRows(1, 512)).isEqualTo(16); // prompts get on, too
        assertThat(slow.promptRows(0, 512)).isEqualTo(512);

        StepCost quick = new StepCost(100);
        assertThat(quick.promptRows(1, 512)).as("nothing is known yet").isEqualTo(512);
        quick.took(1, 0, 5_000_000);
        quick.took(1, 95, 100_000_000);
        assertThat(quick.promptRows(1, 512)).isEqualTo(95);
        quick.took(32, 0, 60_000_000);
        assertThat(quick.promptRows(32, 512))
                .as("three times what it takes anyway")
                .isEqualTo(120);
        assertThat(new StepCost(0).promptRows(1, 512)).isEqualTo(512);
    }

    private Sequence submitFixed(int prompt, int max) {
        Sequence sequence = new Sequence(
                new int[prompt], max, AdapterSet.BASE, SamplingParams.DEFAULT, new int[0], 0, 8, new RecordingSink());
        assertThat(places.take(sequence.adapters.key())).isTrue();
        scheduler.add(sequence);
        return sequence;
    }
}
