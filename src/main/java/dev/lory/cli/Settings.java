package dev.lory.cli;

import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.IDefaultValueProvider;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.OptionSpec;

/** What a flag is when it is not given: {@code LORY_*} of the environment, else the property {@code lory.*}, else its default. */
final class Settings implements IDefaultValueProvider {
    private static final long FILTER_NANOS = 30_000_000;

    private final Map<String, String> environment;

    Settings() {
        this(System.getenv());
    }

    Settings(Map<String, String> environment) {
        this.environment = Map.copyOf(environment);
    }

    @Override
    public @Nullable String defaultValue(ArgSpec argument) {
        if (!(argument instanceof OptionSpec option) || option.usageHelp() || option.versionHelp()) {
            return null;
        }
        String name = option.longestName().substring(2);
        String fromEnvironment =
                environment.get("LORY_" + name.toUpperCase(Locale.ROOT).replace('-', '_'));
        String found = fromEnvironment != null ? fromEnvironment : System.getProperty("lory." + name);
        return found == null || found.isEmpty() ? null : found;
    }

    /** The checkout or installation: what defaults are relative to. The {@code lory} script names it. */
    static Path home() {
        String given = System.getProperty("lory.home", System.getenv().getOrDefault("LORY_HOME", ""));
        return Path.of(given).toAbsolutePath().normalize();
    }

    /** Whether standard error is a terminal; only the script can tell, because it stands between. */
    static boolean onTerminal() {
        return Boolean.getBoolean("lory.terminal");
    }

    /**
     * Standard error passes through the script's filter, which outlives this process; after an error it gets the moment it needs, so that the
     * sentence is there before the shell's prompt.
     */
    static void awaitStandardError(int exitCode) {
        if (exitCode != 0 && onTerminal()) {
            LockSupport.parkNanos(FILTER_NANOS);
        }
    }
}
