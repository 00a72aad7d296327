package dev.lory.engine;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntUnaryOperator;

/**
 * Who computes what in a step: running sequences, oldest first, then waiting ones, whose adapter sets take turns. A prompt chunk and a single token are the same
 * thing. Each running sequence gets at least one row, and prompts come in chunks that keep the step short ({@link StepCost}), so a long prompt does
 * not hold up the others; when blocks run out the youngest gives its own back and computes again later.
 */
final class Scheduler {
    private final BlockPool pool;
    private final int maxRunning;
    private final int maxRows;
    private final List<Sequence> running = new ArrayList<>();
    private final WaitingQueue waiting;
    private final IntUnaryOperator rotations;
    private final Step step;
    private final StepCost cost;
    /** Rows of the step that bring answers on, and those of prompts. */
    private int answering;

    private int prompting;
    private long preemptions;
    private long cachedTokens;
    /** How often a block is in a table, for assertions. */
    private int[] held = {};

    /**
     * @param maxRows of a step, at least {@code maxRunning}
     * @param places where those wait that are added
     * @param rotations from a sequence's length to the rotary angles it needs
     * @param cost learns from the steps, by {@link #took}
     */
    Scheduler(BlockPool pool, int maxRunning, int maxRows, Places places, IntUnaryOperator rotations, StepCost cost) {
        this.pool = pool;
        this.maxRunning = maxRunning;
        this.maxRows = maxRows;
        this.waiting = new WaitingQueue(maxRows, places);
        this.rotations = rotations;
        this.step = new Step(maxRows);
        this.cost = cost;
    }

    /** @param sequence for which a place was taken */
    void add(Sequence sequence) {
        waiting.add(sequence);
    }

    int running() {
        return running.size();
    }

    int waiting() {
        return waiting.size();
    }

    long preemptions() {
        return preemptions;
    }

    long cachedTokens() {
        return cachedTokens;
    }

    /** All that are not finished. */
    List<Sequence> sequences() {
        List<Sequence> all = new ArrayList<>(running);
        all.addAll(waiting.all());
        return all;
    }

    /** The next step; empty if there is nothing to do. Valid until the next call. */
    Step schedule() {
        step.clear();
        dropCancelled();
        answering = 0;
        prompting = 0;
        int budget = maxRows;
        int prompts = cost.promptRows(answers(), maxRows);
        for (int i = 0; i < running.size(); i++) {
            Sequence sequence = running.get(i);
            if (rotate(sequence)) {
                sequence.reuse(pool);
            }
            int othersToCome = running.size() - 1 - i;
            boolean answers = sequence.isAnswering();
            int rows = Math.min(budget - othersToCome, answers ? maxRows : Math.max(1, prompts - prompting));
            if (reserve(sequence, rows)) {
                int added = add(sequence, rows);
                budget -= added;
                answering += answers ? added : 0;
                prompting += answers ? 0 : added;
            }
        }
        admit(Math.min(budget, prompts - prompting));
        step.groupAdapters();
        return step;
    }

    /** The step is computed, which took so long. */
    void took(long nanos) {
        cost.took(answering, prompting, nanos);
    }

    private int answers() {
        int answers = 0;
        for (int i = 0; i < running.size(); i++) {
            answers += running.get(i).isAnswering() ? 1 : 0;
        }
        return answers;
    }

    private boolean rotate(Sequence sequence) {
        return sequence.rotate(pool, rotations.applyAsInt(sequence.length()));
    }

    /** Adds what a sequence can compute, its blocks being reserved. @return rows */
    private int add(Sequence sequence, int rows) {
        int left = rows;
        for (int i = 0; i < sequence.passes(); i++) {
            int count = Math.min(sequence.pass(i).ready(), left);
            if (count > 0) {
                step.add(sequence.pass(i), count, pool.blockSize());
                left -= count;
            }
        }
        return rows - left;
    }

    /** Reserves the blocks for what {@link #add} will add. */
    private boolean hasBlocks(Sequence sequence, int rows) {
        int left = rows;
        for (int i = 0; i < sequence.passes(); i++) {
            int count = Math.min(sequence.pass(i).ready(), left);
            if (!sequence.pass(i).reserve(pool, count)) {
                return false;
            }
            left -= count;
        }
        return true;
    }

    private void admit(int rows) {
        int budget = rows;
        while (budget > 0 && running.size() < maxRunning && !waiting.isEmpty()) {
            Sequence sequence = waiting.first();
            rotate(sequence);
            int cached = sequence.reuse(pool);
            // A block is left for each that runs, or the newcomer would soon be preempted again.
            if (!hasBlocks(sequence, budget) || pool.free() < running.size()) {
                sequence.release(pool);
                return;
            }
            waiting.removeFirst();
            running.add(sequence);
            sequence.state = Sequence.State.RUNNING;
            if (!sequence.started) {
                sequence.started = true;
                cachedTokens += cached;
                sequence.sink.started(cached);
            }
            int added = add(sequence, budget);
            budget -= added;
            prompting += added;
        }
    }

    /** Reserves blocks, at the cost of the youngest if need be; false if the sequence itself was the youngest. */
    private boolean reserve(Sequence sequence, int rows) {
        while (!hasBlocks(sequence, rows)) {
            Sequence youngest = running.removeLast();
            youngest.release(pool);
            youngest.state = Sequence.State.WAITING;
            waiting.putBack(youngest);
            preemptions++;
            if (youngest == sequence) {
                return false;
            }
        }
        return true;
    }

    /** The one place where a sequence ends and its blocks go back. */
    void finish(Sequence sequence) {
        sequence.state = Sequence.State.FINISHED;
        sequence.release(pool);
        if (running.remove(sequence)) {
            waiting.settle(sequence);
        } else {
            waiting.remove(sequence);
        }
    }

    /** Whether each block is in as many tables as it has references, and free if in none; what waits holds none. */
    boolean isConsistent() {
        if (held.length == 0) {
            held = new int[pool.blocks()];
        }
        Arrays.fill(held, 0);
        for (int i = 0; i < running.size(); i++) {
            for (int p = 0; p < running.get(i).passes(); p++) {
                Pass pass = running.get(i).pass(p);
                for (int b = 0; b < pass.blocks(); b++) {
                    held[pass.table()[b]]++;
                }
            }
        }
        int free = 0;
        for (int block = 0; block < held.length; block++) {
            if (held[block] != pool.references(block)) {
                return false;
            }
            free += held[block] == 0 ? 1 : 0;
        }
        return free == pool.free() && running.size() <= maxRunning;
    }

    private void dropCancelled() {
        for (int i = running.size() - 1; i >= 0; i--) {
            Sequence sequence = running.get(i);
            if (sequence.isCancelled()) {
                finish(sequence);
                sequence.sink.finished(TokenSink.Ending.CANCELLED);
            }
        }
        waiting.removeCancelled(sequence -> {
            sequence.state = Sequence.State.FINISHED;
            sequence.sink.finished(TokenSink.Ending.CANCELLED);
        });
    }
}
