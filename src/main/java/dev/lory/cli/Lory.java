package dev.lory.cli;

import dev.lory.error.ServiceException;
import io.quarkus.runtime.annotations.QuarkusMain;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.IVersionProvider;

/** The one entry of the program. Only {@code serve} starts Quarkus; without arguments it is what runs. */
@QuarkusMain
@Command(
        name = "lory",
        description = "Serves one base language model with many LoRA adapters.",
        subcommands = {
            ServeCommand.class,
            RunBatchCommand.class,
            BenchCommand.class,
            TokenizeCommand.class,
            TemplateCommand.class,
            OrderingCommand.class,
            XLoraCommand.class
        },
        mixinStandardHelpOptions = true,
        versionProvider = Lory.Version.class,
        synopsisSubcommandLabel = "COMMAND",
        footer =
                "%n`./lory test [--quick]` runs the tests. Each flag is also an environment variable: --max-num-seqs is LORY_MAX_NUM_SEQS.")
public final class Lory {
    /** What the caller can put right: a wrong flag, file or model. */
    static final int USAGE = 2;

    /** A defect of the program. */
    static final int DEFECT = 1;

    public static void main(String... args) {
        int code = execute(args.length == 0 ? new String[] {"serve"} : args);
        Settings.awaitStandardError(code);
        System.exit(code);
    }

    private static int execute(String... args) {
        try {
            return commandLine().execute(args);
        } catch (OutOfMemoryError e) {
            System.err.println("lory: the Java heap is too small: LORY_JAVA_OPTS=-Xmx4g gives it 4 GB;"
                    + " --kernels reference takes four bytes of it for each weight");
            return USAGE;
        }
    }

    /** All commands, with errors as one sentence each. */
    static CommandLine commandLine() {
        CommandLine line = new CommandLine(new Lory());
        line.setDefaultValueProvider(new Settings());
        line.setParameterExceptionHandler((e, args) -> complain(e.getCommandLine(), String.valueOf(e.getMessage())));
        line.setExecutionExceptionHandler((e, command, parsed) -> {
            if (e instanceof ServiceException known) {
                return complain(command, known.detail());
            }
            complain(command, "unexpected " + e);
            return DEFECT;
        });
        return line;
    }

    private static int complain(CommandLine command, String sentence) {
        command.getErr().println("lory: " + sentence.strip().replaceAll("\\s*\\R\\s*", " "));
        command.getErr().flush();
        return USAGE;
    }

    /** Of the packaged program, and the JVM it runs in. */
    static final class Version implements IVersionProvider {
        @Override
        public String[] getVersion() {
            String version = Lory.class.getPackage().getImplementationVersion();
            return new String[] {
                "lory " + (version == null ? "(not packaged)" : version) + ", Java " + Runtime.version()
            };
        }
    }
}
