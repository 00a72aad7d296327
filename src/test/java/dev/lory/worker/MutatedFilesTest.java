package dev.lory.worker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import com.sun.management.ThreadMXBean;
import dev.lory.adapter.AdapterPolicy;
import dev.lory.adapter.PeftFolder;
import dev.lory.error.ServiceException;
import dev.lory.kernel.ReferenceBackend;
import dev.lory.model.Decoder;
import dev.lory.model.Decoders;
import dev.lory.tokenizer.Tokenizer;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Sound files with their headers changed at random, for a minute: each is read, or refused with a sentence that begins with it, in bounded
 * time and memory. A failure names the seed, and {@code -Dlory.fuzz.seed} begins with it.
 */
final class MutatedFilesTest {
    private static final Path FIXTURES = Path.of("src/test/resources/fixtures");
    private static final Path MODEL = FIXTURES.resolve("models/phi3/base");
    private static final Path ADAPTER = FIXTURES.resolve("models/phi3/adapters/math");
    private static final Duration EACH_KIND = Duration.ofSeconds(12);
    private static final Duration MOST_TIME = Duration.ofSeconds(10);
    private static final long MOST_BYTES = 64L << 20;
    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    private static final List<Long> NUMBERS = List.of(
            0L,
            1L,
            -1L,
            2L,
            7L,
            127L,
            255L,
            1L << 16,
            1_000_000_000L,
            (1L << 31) - 1,
            1L << 31,
            (1L << 32) - 1,
            1L << 40,
            Long.MAX_VALUE,
            Long.MIN_VALUE);

    private static final List<String> VALUES = List.of(
            "0",
            "-1",
            "1",
            "0.5",
            "1e308",
            "1e999",
            "NaN",
            "2147483647",
            "2147483648",
            "1000000000",
            "16777216",
            "9223372036854775808",
            "1" + "0".repeat(900),
            "null",
            "true",
            "\"\"",
            "\"..\"",
            "[]",
            "{}",
            "[[]]",
            "[".repeat(3000),
            "[".repeat(900) + "]".repeat(900),
            "{\"a\":".repeat(3000));

    /** A kind of file: what is changed, how many bytes from its start, and what reads it. */
    enum Kind {
        GGUF(FIXTURES.resolve("malformed/gguf/valid.gguf"), 4000) {
            @Override
            void read(Path folder, Path file) {
                model(file);
            }
        },
        SAFETENSORS(ADAPTER.resolve("adapter_model.safetensors"), 3000) {
            @Override
            void read(Path folder, Path file) throws IOException {
                copy(ADAPTER.resolve("adapter_config.json"), folder);
                adapter(folder);
            }
        },
        ADAPTER_CONFIG(ADAPTER.resolve("adapter_config.json"), Integer.MAX_VALUE) {
            @Override
            void read(Path folder, Path file) throws IOException {
                copy(ADAPTER.resolve("adapter_model.safetensors"), folder);
                adapter(folder);
            }
        },
        CONFIG(MODEL.resolve("config.json"), Integer.MAX_VALUE) {
            @Override
            void read(Path folder, Path file) throws IOException {
                copy(MODEL.resolve("model.safetensors"), folder);
                model(folder);
            }
        },
        TOKENIZER(FIXTURES.resolve("tokenizers/gpt2-style/tokenizer.json"), Integer.MAX_VALUE) {
            @Override
            void read(Path folder, Path file) {
                try (Tokenizer tokenizer = Tokenizer.fromJson(file)) {
                    tokenizer.encode("Hello <|endoftext|> there", true, true);
                }
            }
        };

        final Path sound;
        final int header;

        Kind(Path sound, int header) {
            this.sound = sound;
            this.header = header;
        }

        abstract void read(Path folder, Path file) throws IOException;
    }

    private static void copy(Path file, Path folder) throws IOException {
        Path there = folder.resolve(file.getFileName());
        if (!Files.exists(there)) {
            Files.copy(file, there);
        }
    }

    private static void model(Path path) {
        try (ReferenceBackend backend = new ReferenceBackend()) {
            Decoders.load(path, backend);
        }
    }

    private static final ReferenceBackend BASE_BACKEND = new ReferenceBackend();
    private static final Decoder BASE = Decoders.load(MODEL, BASE_BACKEND);

    private static void adapter(Path folder) {
        new PeftFolder(folder, AdapterPolicy.DEFAULT).load(BASE, BASE_BACKEND).close();
    }

    @ParameterizedTest
    @EnumSource
    void areReadOrRefusedByName(Kind kind, @TempDir Path folder) throws IOException {
        byte[] sound = Files.readAllBytes(kind.sound);
        Path file = folder.resolve(kind.sound.getFileName());
        Files.write(file, sound);
        kind.read(folder, file); // the sound one, which loads classes, too
        long seed = Long.getLong("lory.fuzz.seed", 0);
        long end = System.nanoTime() + EACH_KIND.toNanos();
        int refused = 0;
        long files = 0;
        for (; System.nanoTime() < end; files++) {
            Files.write(file, changed(sound, Math.min(kind.header, sound.length), new Random(seed + files)));
            refused += read(kind, folder, file, seed + files) ? 0 : 1;
        }
        assertThat(files).isGreaterThan(100);
        assertThat(refused).as("refused of %d", files).isBetween(1, (int) files - 1);
    }

    private static boolean read(Kind kind, Path folder, Path file, long seed) {
        String what = kind + ", seed " + seed;
        long bytes = -THREADS.getTotalThreadAllocatedBytes();
        boolean good = true;
        try {
            Assertions.assertTimeoutPreemptively(MOST_TIME, () -> kind.read(folder, file), what);
        } catch (ServiceException e) {
            good = false;
            assertThat(e.detail()).as(what).startsWith(folder.toString());
        } catch (RuntimeException | Error e) {
            fail(what + ": " + e, e);
        }
        assertThat(bytes + THREADS.getTotalThreadAllocatedBytes())
                .as("bytes of " + what)
                .isLessThan(MOST_BYTES);
        return good;
    }

    /** One to three changes within the header. */
    private static byte[] changed(byte[] sound, int header, Random random) {
        byte[] bytes = sound;
        for (int i = random.nextInt(3); i >= 0; i--) {
            bytes = change(bytes, Math.min(header, bytes.length), random);
        }
        return bytes;
    }

    private static byte[] change(byte[] bytes, int header, Random random) {
        if (header < 16) {
            return bytes;
        }
        int at = random.nextInt(header - 8);
        byte[] copy = bytes.clone();
        switch (random.nextInt(8)) {
            case 0 -> copy[at] ^= (byte) (1 << random.nextInt(8));
            case 1 -> copy[at] = (byte) random.nextInt(256);
            case 2 -> little(copy).putLong(at, number(random));
            case 3 -> little(copy).putInt(at, (int) number(random));
            case 4 -> {
                return Arrays.copyOf(bytes, at);
            }
            case 5 -> {
                return splice(bytes, at, at + 1 + random.nextInt(8), new byte[0]);
            }
            case 6 -> {
                byte[] again = Arrays.copyOfRange(bytes, at, Math.min(bytes.length, at + 1 + random.nextInt(200)));
                return splice(bytes, at, at, again);
            }
            default -> {
                return otherValue(bytes, at, header, random);
            }
        }
        return copy;
    }

    private static long number(Random random) {
        return NUMBERS.get(random.nextInt(NUMBERS.size()));
    }

    /** Puts another value behind the next colon. */
    private static byte[] otherValue(byte[] bytes, int from, int header, Random random) {
        int at = from;
        while (at < header - 1 && bytes[at] != ':') {
            at++;
        }
        int end = at + 1;
        while (end < header && ",}\n".indexOf(bytes[end]) < 0) {
            end++;
        }
        String value = VALUES.get(random.nextInt(VALUES.size()));
        return splice(bytes, at + 1, end, value.getBytes(StandardCharsets.UTF_8));
    }

    private static byte[] splice(byte[] bytes, int from, int to, byte[] instead) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.write(bytes, 0, from);
        out.writeBytes(instead);
        out.write(bytes, Math.min(to, bytes.length), Math.max(0, bytes.length - to));
        return out.toByteArray();
    }

    private static ByteBuffer little(byte[] bytes) {
        return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }
}
