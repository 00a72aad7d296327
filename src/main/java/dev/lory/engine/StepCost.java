package dev.lory.engine;

/**
 * What steps take, learned from those before, so that who is being answered does not wait long for the prompt of another: a prompt comes in such
 * chunks that a step stays within a time. Any chunks give the same numbers.
 */
final class StepCost {
    /** A step with prompts may take so many times what it takes without, also beyond the time. */
    private static final double LONGER = 3;
    /** Rows of prompts that every step may have, so that prompts get on, too; steps with fewer teach nothing of what a row costs. */
    private static final int LEAST = 16;
    /** How much the latest step counts. */
    private static final double LATEST = 0.25;

    private final double most;
    /** Of steps without prompts, in nanoseconds, by the logarithm of their rows; 0 = there was none yet. */
    private final double[] answers = new double[Integer.SIZE];
    /** Of a row of a prompt, in nanoseconds; 0 = not known yet. */
    private double row;

    /** @param millis that a step may take while somebody is being answered; 0 = any */
    StepCost(int millis) {
        most = 1e6 * millis;
    }

    /**
     * How many rows of prompts a step may have.
     *
     * @param answering rows that it has anyway, for the next tokens of answers
     * @param maxRows more than these never
     */
    int promptRows(int answering, int maxRows) {
        double anyway = answer(answering);
        if (most == 0 || anyway == 0 || row == 0) {
            return maxRows;
        }
        double left = Math.max(most, LONGER * anyway) - anyway;
        return (int) Math.clamp(left / row, Math.min(LEAST, maxRows), maxRows);
    }

    /** A step is done. */
    void took(int answering, int prompts, long nanos) {
        if (prompts == 0) {
            int at = logarithm(answering);
            answers[at] = mean(answers[at], nanos);
        } else if (prompts >= LEAST) {
            row = mean(row, Math.max(1, nanos - answer(answering)) / prompts);
        }
    }

    private static double mean(double before, double latest) {
        return before == 0 ? latest : before + LATEST * (latest - before);
    }

    /** Of a step without prompts; 0 = with none at all, or not known. Of sizes that there were not yet it is that of the next one known. */
    private double answer(int answering) {
        int size = logarithm(answering);
        for (int apart = 0; answering > 0 && apart < answers.length; apart++) {
            if (size + apart < answers.length && answers[size + apart] > 0) {
                return answers[size + apart];
            }
            if (size >= apart && answers[size - apart] > 0) {
                return answers[size - apart];
            }
        }
        return 0;
    }

    private static int logarithm(int rows) {
        return Integer.SIZE - 1 - Integer.numberOfLeadingZeros(Math.max(1, rows));
    }
}
