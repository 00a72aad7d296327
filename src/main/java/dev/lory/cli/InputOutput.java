package dev.lory.cli;

import static dev.lory.error.ErrorCode.INVALID_CONFIGURATION;

import dev.lory.error.ServiceException;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStreamWriter;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import picocli.CommandLine.Option;

/** Where a command reads lines from and writes them to; {@code -} is standard input or output. */
final class InputOutput {
    private static final String STANDARD = "-";

    @Option(
            names = {"-i", "--input"},
            paramLabel = "FILE",
            description = "JSON lines; default: -, standard input.")
    private String input = STANDARD;

    @Option(
            names = {"-o", "--output"},
            paramLabel = "FILE",
            description = "JSON lines, in the order of the input; default: -, standard output.")
    private String output = STANDARD;

    /** What a command does with the two. */
    interface Work {
        void run(BufferedReader lines, Writer answers) throws IOException, InterruptedException;
    }

    /**
     * Refuses what cannot work, before anything is begun.
     *
     * @throws ServiceException {@code INVALID_CONFIGURATION} naming the flag
     */
    void check() {
        if (!input.equals(STANDARD)) {
            WorkerFlags.existing("--input", Path.of(input));
        }
        if (output.equals(STANDARD)) {
            return;
        }
        Path file = Path.of(output).toAbsolutePath();
        Path folder = file.getParent();
        if (folder == null || !Files.isDirectory(folder)) {
            throw new ServiceException(INVALID_CONFIGURATION, "the folder of --output " + output + " does not exist");
        }
        try {
            if (!input.equals(STANDARD) && Files.exists(file) && Files.isSameFile(file, Path.of(input))) {
                throw new ServiceException(
                        INVALID_CONFIGURATION, "--output " + output + " is the input, which would be lost");
            }
        } catch (IOException e) {
            throw new ServiceException(INVALID_CONFIGURATION, "--output " + output + " cannot be used: " + e, e);
        }
    }

    /**
     * How many lines there are to answer; 0 where it would take reading standard input.
     *
     * @throws ServiceException {@code INVALID_CONFIGURATION} if the input is no text
     */
    int countLines() {
        if (input.equals(STANDARD)) {
            return 0;
        }
        try (var lines = Files.lines(Path.of(input))) {
            return (int) lines.filter(line -> !line.isBlank()).count();
        } catch (IOException | UncheckedIOException e) {
            throw new ServiceException(
                    INVALID_CONFIGURATION, "--input " + input + " cannot be read as UTF-8 text: " + e, e);
        }
    }

    /** @throws ServiceException {@code INVALID_CONFIGURATION} if reading or writing fails */
    void run(Work work) throws InterruptedException {
        try (BufferedReader lines = reader();
                Writer answers = writer()) {
            work.run(lines, answers);
        } catch (IOException | UncheckedIOException e) {
            throw new ServiceException(
                    INVALID_CONFIGURATION, "cannot read " + input + " or write " + output + ": " + e, e);
        }
    }

    private BufferedReader reader() throws IOException {
        return input.equals(STANDARD)
                ? new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8))
                : Files.newBufferedReader(Path.of(input));
    }

    private Writer writer() throws IOException {
        return output.equals(STANDARD)
                ? new OutputStreamWriter(System.out, StandardCharsets.UTF_8)
                : Files.newBufferedWriter(Path.of(output));
    }
}
