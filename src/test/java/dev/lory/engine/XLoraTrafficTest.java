package dev.lory.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lory.kernel.cpu.CpuBackend;
import dev.lory.kernel.cpu.Kernels;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Ten thousand sequences, with X-LoRA in every mode, with an adapter and without, many of them closed early, and few blocks for them. */
final class XLoraTrafficTest {
    private static final int SEQUENCES = 10_000;
    private static final List<String> MODES =
            List.of("granular", "non_granular_1", "non_granular_3", "adapter", "base");

    /** What a sequence asks for: one of the beginnings of a long prompt, so that many share theirs. */
    private record Kind(String mode, int length) {}

    private record Running(Kind kind, Sequence sequence, RecordingSink sink) {}

    private final Map<Kind, List<Integer>> alone = new HashMap<>();
    private final int[] text = IntStream.range(0, 40).map(i -> 7 + i * 31 % 300).toArray();

    @Test
    void everyAnswerIsWhatItIsAloneAndNoBlockIsLost() throws IOException {
        Random random = new Random(3);
        try (XLoraFixture fixture = new XLoraFixture("llama-paper", new CpuBackend(2, Kernels.AUTO))) {
            try (Engine engine = fixture.engine(new EngineOptions(1, 10, 64, 0, 40, 8))) {
                for (String mode : MODES) {
                    for (int length = 1; length <= text.length; length += 3) {
                        Running run = start(fixture, engine, new Kind(mode, length));
                        alone.put(run.kind, List.copyOf(run.sink.tokens()));
                    }
                }
            }
            try (Engine engine = fixture.engine(new EngineOptions(16, 100, 48, 0, 40, 8))) {
                List<Running> running = new ArrayList<>();
                for (int i = 0; i < SEQUENCES; i++) {
                    Kind kind = new Kind(MODES.get(random.nextInt(MODES.size())), 1 + 3 * random.nextInt(14));
                    running.add(start(fixture, engine, kind));
                    if (running.size() > 24) {
                        end(running.remove(random.nextInt(running.size())), random);
                    }
                }
                running.forEach(run -> end(run, random));
                assertThat(engine.call(() -> engine.stats().usedBlocks())).isZero();
                assertThat(engine.stats().preemptions()).as("blocks were short").isPositive();
            }
        }
    }

    private Running start(XLoraFixture fixture, Engine engine, Kind kind) {
        RecordingSink sink = new RecordingSink();
        int[] prompt = Arrays.copyOf(text, kind.length());
        Sequence sequence = MODES.indexOf(kind.mode()) < 3
                ? fixture.sequence(prompt, kind.mode(), false, sink)
                : fixture.plain(prompt, kind.mode().equals("adapter"), sink);
        engine.submit(sequence);
        return new Running(kind, sequence, sink);
    }

    private void end(Running run, Random random) {
        if (random.nextInt(3) == 0) {
            run.sequence.cancel();
            run.sink.ending();
        } else {
            assertThat(run.sink.tokens()).as("%s", run.kind).isEqualTo(alone.get(run.kind));
        }
    }
}
