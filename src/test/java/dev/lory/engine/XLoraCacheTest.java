package dev.lory.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lory.error.ErrorCode;
import dev.lory.error.ServiceException;
import dev.lory.kernel.ReferenceBackend;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What an X-LoRA's sequence takes of the KV cache, and what it leaves there for others. */
final class XLoraCacheTest {
    private static final int BLOCK = 8;

    private XLoraFixture fixture;
    private final int[] text = IntStream.range(0, 16).map(i -> 7 + i * 31 % 300).toArray();

    @BeforeEach
    void open() throws IOException {
        fixture = new XLoraFixture("llama-paper", new ReferenceBackend());
    }

    @AfterEach
    void close() {
        fixture.close();
    }

    private Engine engine(int blocks) {
        return fixture.engine(new EngineOptions(4, 10, 64, 0, blocks, BLOCK));
    }

    @Test
    void aTokenTakesTwoPlaces() {
        int once = Math.ceilDiv(text.length + fixture.newTokens(), BLOCK);
        try (Engine engine = engine(2 * once - 1)) {
            assertThatCode(() -> engine.submit(fixture.plain(text, false, new RecordingSink())))
                    .doesNotThrowAnyException();
            assertThatThrownBy(() -> engine.submit(fixture.sequence(text, "granular", false, new RecordingSink())))
                    .isInstanceOfSatisfying(
                            ServiceException.class,
                            refused -> assertThat(refused.code()).isEqualTo(ErrorCode.CONTEXT_LENGTH_EXCEEDED))
                    .hasMessageContaining("an X-LoRA needs room for each token twice");
        }
        try (Engine engine = engine(2 * once)) {
            RecordingSink sink = new RecordingSink();
            engine.submit(fixture.sequence(text, "granular", false, sink));
            assertThat(sink.tokens()).hasSize(fixture.newTokens());
        }
    }

    @Test
    void whatCameAfterTheFreezeIsNobodyElses() {
        assertThat(found("granular")).isEqualTo(3 * BLOCK);
        // the token after the first generated one is the first with scalings that are not its own
        assertThat(found("non_granular_1")).isEqualTo(text.length);
        assertThat(found("non_granular_8")).isEqualTo(3 * BLOCK);
    }

    /** How many tokens of a conversation that goes on are in the cache. */
    private int found(String mode) {
        try (Engine engine = engine(64)) {
            RecordingSink first = new RecordingSink();
            engine.submit(fixture.sequence(text, mode, false, first));
            List<Integer> all = new ArrayList<>(Arrays.stream(text).boxed().toList());
            all.addAll(first.tokens());
            RecordingSink second = new RecordingSink();
            int[] longer = all.stream().mapToInt(id -> id).toArray();
            engine.submit(fixture.sequence(longer, "granular", false, second));
            second.ending();
            return second.cached;
        }
    }
}
