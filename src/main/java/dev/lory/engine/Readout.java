package dev.lory.engine;

import dev.lory.engine.TokenSink.Ending;
import dev.lory.kernel.StepBatch;
import dev.lory.model.Decoder;
import dev.lory.model.LinearDelta;
import dev.lory.sampling.Sampler;
import dev.lory.sampling.SamplingParams;
import dev.lory.tensor.Tensor;
import java.util.OptionalInt;

/** What follows the hidden states of a step: logits of the rows that need them, in groups, and from each a token or a score. */
final class Readout {
    private final Decoder decoder;
    private final LinearDelta delta;
    private final Scheduler scheduler;
    private final EngineStats stats;
    private final Sampler sampler;
    private final float[] logits;
    private final int[] rows;
    private final Sequence[] owners;
    /** The position in its sequence that the row's logits predict. */
    private final int[] predicted;

    private int pending;

    Readout(Decoder decoder, LinearDelta delta, Scheduler scheduler, EngineStats stats) {
        this.decoder = decoder;
        this.delta = delta;
        this.scheduler = scheduler;
        this.stats = stats;
        int vocab = decoder.spec().vocab();
        sampler = new Sampler(vocab);
        logits = new float[vocab];
        rows = new int[decoder.maxLogitRows()];
        owners = new Sequence[rows.length];
        predicted = new int[rows.length];
    }

    /** Books the step's rows as computed, scores prompts, samples and delivers tokens. */
    void deliver(Step step, Tensor hidden, BlockPool pool) {
        pending = 0;
        for (int i = 0; i < step.size(); i++) {
            Pass pass = step.pass(i);
            Sequence sequence = pass.sequence;
            int first = pass.computed();
            pass.advance(pool, step.count(i));
            if (pass.isScaling()) {
                if (sequence.gates.isSettled()) {
                    pass.release(pool); // nothing more is to be found out
                }
                continue;
            }
            for (int p = Math.max(first, sequence.scored - 1); p < pass.computed(); p++) {
                if (p + 1 < sequence.promptLength || p + 1 == sequence.length()) {
                    if (pending == rows.length) {
                        flush(hidden, step.batch());
                    }
                    add(step.batch().start(i) + p - first, sequence, p + 1);
                }
            }
        }
        flush(hidden, step.batch());
    }

    private void add(int row, Sequence sequence, int position) {
        rows[pending] = row;
        owners[pending] = sequence;
        predicted[pending++] = position;
    }

    private void flush(Tensor hidden, StepBatch batch) {
        if (pending == 0) {
            return;
        }
        Tensor computed = decoder.logits(hidden, batch, delta, rows, pending);
        for (int i = 0; i < pending; i++) {
            decoder.download(computed, i, logits);
            if (predicted[i] < owners[i].promptLength) {
                score(owners[i], predicted[i]);
            } else {
                sample(owners[i]);
            }
        }
        pending = 0;
    }

    private void score(Sequence sequence, int position) {
        OptionalInt asked = sequence.params.promptLogprobs();
        int token = sequence.tokens()[position];
        double sum = Sampler.logSumExp(logits);
        int[] top = top(asked);
        sequence.sink.prompt(position, (float) (logits[token] - sum), top, logprobs(top, sum));
        sequence.scored = position + 1;
    }

    private void sample(Sequence sequence) {
        if (sequence.length() >= sequence.maxLength) { // a prompt without output
            finish(sequence, Ending.FULL);
            return;
        }
        SamplingParams params = sequence.params;
        if (params.logprobs().isPresent()) {
            double sum = Sampler.logSumExp(logits);
            int[] top = top(params.logprobs());
            float[] topLogprobs = logprobs(top, sum);
            float[] raw = logits.clone();
            int token = draw(sequence);
            sequence.sink.token(token, (float) (raw[token] - sum), top, topLogprobs);
            accept(sequence, token);
        } else {
            int token = draw(sequence);
            sequence.sink.token(token);
            accept(sequence, token);
        }
    }

    private int draw(Sequence sequence) {
        return sampler.sample(logits, sequence.sampling, sequence.length(), sequence.generated());
    }

    private void accept(Sequence sequence, int token) {
        sequence.append(token);
        stats.generatedTokens = stats.generatedTokens + 1;
        if (sequence.isEnd(token)) {
            finish(sequence, Ending.STOPPED);
        } else if (sequence.length() >= sequence.maxLength) {
            finish(sequence, Ending.FULL);
        }
    }

    private void finish(Sequence sequence, Ending ending) {
        scheduler.finish(sequence);
        sequence.sink.finished(ending);
    }

    private int[] top(OptionalInt asked) {
        int count = asked.orElse(0);
        return sampler.top(logits, count < 0 ? logits.length : count);
    }

    private float[] logprobs(int[] ids, double logSumExp) {
        float[] values = new float[ids.length];
        for (int i = 0; i < ids.length; i++) {
            values[i] = (float) (logits[ids[i]] - logSumExp);
        }
        return values;
    }
}
