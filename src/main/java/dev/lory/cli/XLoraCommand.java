package dev.lory.cli;

import static dev.lory.error.ErrorCode.INVALID_CONFIGURATION;

import dev.lory.error.ServiceException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code lory xlora}: what the adapters of an X-LoRA counted in an answer, as a picture or a file. */
@Command(
        name = "xlora",
        description = "What the adapters of an X-LoRA counted, token by token, from an answer that was asked for with"
                + " \"adapter_scalings\": \"full\".",
        synopsisSubcommandLabel = "COMMAND",
        mixinStandardHelpOptions = true)
final class XLoraCommand {
    private static final String STANDARD = "-";

    /** Where an answer comes from. */
    static final class Source {
        @Parameters(
                paramLabel = "ANSWER",
                arity = "0..1",
                description = "The answer, whole or as a stream; default: -, standard input.")
        private String answer = STANDARD;

        @Option(names = "--choice", paramLabel = "N", description = "Which choice; default: ${DEFAULT-VALUE}.")
        private int choice;

        TracedAnswer read() {
            try {
                return TracedAnswer.of(
                        answer.equals(STANDARD)
                                ? new String(System.in.readAllBytes(), StandardCharsets.UTF_8)
                                : Files.readString(Path.of(answer)),
                        choice);
            } catch (IOException e) {
                throw new ServiceException(
                        INVALID_CONFIGURATION, answer + " cannot be read: " + ServiceException.reason(e), e);
            }
        }
    }

    @Command(
            name = "heatmap",
            description = "Draws an SVG: tokens by layers, a panel for each adapter.",
            mixinStandardHelpOptions = true)
    void heatmap(
            @Mixin Source source,
            @Option(
                            names = {"-o", "--output"},
                            paramLabel = "FILE",
                            defaultValue = STANDARD,
                            description = "An .svg file; default: -, standard output.")
                    String output) {
        TracedAnswer traced = source.read();
        write(output, new Heatmap(traced).svg().getBytes(StandardCharsets.UTF_8));
    }

    @Command(
            name = "export",
            description = {
                "Writes the scalings as NumPy's array of float32 [tokens, sites, adapters] (.npy),",
                "or with names of adapters and sites and the text of tokens (.json)."
            },
            mixinStandardHelpOptions = true)
    void export(
            @Mixin Source source,
            @Option(
                            names = {"-o", "--output"},
                            paramLabel = "FILE",
                            required = true,
                            description = "A .npy or a .json file.")
                    String output) {
        TracedAnswer traced = source.read();
        if (output.endsWith(".npy")) {
            write(output, traced.npy());
        } else if (output.endsWith(".json")) {
            write(output, traced.json().getBytes(StandardCharsets.UTF_8));
        } else {
            throw new ServiceException(INVALID_CONFIGURATION, "--output must end with .npy or .json but is " + output);
        }
    }

    private static void write(String output, byte[] content) {
        try {
            if (output.equals(STANDARD)) {
                System.out.write(content);
                System.out.flush();
            } else {
                Files.write(Path.of(output), content);
            }
        } catch (IOException e) {
            throw new ServiceException(
                    INVALID_CONFIGURATION,
                    "--output " + output + " cannot be written: " + ServiceException.reason(e),
                    e);
        }
    }
}
