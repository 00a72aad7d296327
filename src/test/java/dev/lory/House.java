package dev.lory;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The house as a table: its packages from the bottom up, what each may import, and which outside libraries each may touch. */
final class House {
    static final String ROOT = "dev.lory";

    /**
     * Packages that share one line of the table and may import each other.
     *
     * @param names below {@code dev.lory}
     * @param imports rows above, by the name of any of their packages; {@code error} is understood
     */
    record Row(List<String> names, Set<String> imports) {
        Row {
            names = List.copyOf(names);
            imports = Set.copyOf(imports);
        }
    }

    /**
     * A library, or a part of the JDK, that is not for everybody.
     *
     * @param prefixes of class names
     * @param users the packages that may touch it
     */
    record Library(String name, List<String> prefixes, Set<String> users) {
        Library {
            prefixes = List.copyOf(prefixes);
            users = Set.copyOf(users);
        }

        boolean holds(String className) {
            return prefixes.stream().anyMatch(className::startsWith);
        }
    }

    /** A row sees only rows above it, and of those only the named ones. */
    static final List<Row> ROWS = List.of(
            row("error", ""),
            row("digest", ""),
            row("sampling", ""),
            row("tensor", ""),
            row("format", "tensor"),
            row("tokenizer", "format"),
            row("template", ""),
            row("kernel", "tensor"),
            row("kernel.cpu", "kernel tensor"),
            row("kernel.cuda", "kernel tensor"),
            row("model model.arch", "kernel format tensor"),
            row("ordering", "model"),
            row("adapter", "digest model kernel format tensor"),
            row("xlora", "digest adapter ordering model kernel format tensor"),
            row("engine", "digest adapter xlora model kernel tensor sampling"),
            row(
                    "worker worker.grpc",
                    "digest engine xlora adapter ordering model tokenizer template format kernel kernel.cpu kernel.cuda sampling"),
            row("database", ""),
            row("registry", "digest worker xlora adapter ordering"),
            row(
                    "api api.openai api.admin api.dialect api.metrics api.quota",
                    "registry worker xlora adapter ordering sampling"),
            row("cli", "api registry database worker xlora adapter ordering sampling tokenizer template"));

    /** The first row in which a framework may show itself; what is above is plain Java. */
    static final String FIRST_WITH_FRAMEWORK = "worker";

    /** What plain Java may use: the JDK, JSON and the null annotations. */
    static final List<String> PLAIN = List.of("java.", "org.jspecify.", "com.fasterxml.jackson.");

    static final List<Library> LIBRARIES = List.of(
            library("Vector API", "kernel.cpu", "jdk.incubator.vector."),
            library(
                    "native calls",
                    "kernel.cpu kernel.cuda",
                    "java.lang.foreign.Linker",
                    "java.lang.foreign.SymbolLookup"),
            library(
                    "off-heap memory",
                    "tensor format kernel kernel.cpu kernel.cuda model adapter",
                    "java.lang.foreign."),
            library("memory of the machine", "kernel.cpu", "com.sun.management."),
            library("tokenizers", "tokenizer", "ai.djl."),
            library("CUDA bindings", "kernel.cuda", "jcuda."),
            library("gRPC", "worker.grpc", "io.grpc.", "com.google.protobuf."),
            library(
                    "persistence",
                    "registry",
                    "jakarta.persistence.",
                    "jakarta.transaction.",
                    "org.hibernate.",
                    "org.flywaydb.",
                    "org.postgresql.",
                    "io.agroal.",
                    "io.quarkus.hibernate.",
                    "io.quarkus.panache."),
            library("JDBC", "database registry api", "java.sql.", "javax.sql."),
            library("health", "registry api", "org.eclipse.microprofile.health."),
            library("archives", "database", "org.apache.commons.compress.", "org.tukaani."),
            library(
                    "HTTP",
                    "api api.openai api.admin api.dialect api.metrics api.quota",
                    "jakarta.ws.rs.",
                    "org.jboss.resteasy.",
                    "io.vertx.",
                    "org.eclipse.microprofile.openapi.",
                    "io.micrometer."),
            library("command line", "cli", "picocli."));

    /** Names that say nothing about what is inside. */
    static final Set<String> REFUSED_PACKAGES =
            Set.of("util", "utils", "common", "impl", "core", "service", "dto", "helper");

    static final List<String> REFUSED_SUFFIXES = List.of("Manager", "Helper", "Util", "Utils", "Impl");

    private House() {}

    /** The row of a package, given below the root. */
    static Optional<Row> rowOf(String name) {
        return ROWS.stream().filter(row -> row.names().contains(name)).findFirst();
    }

    /** The packages that a row may import, its own among them. */
    static Set<String> importable(Row row) {
        return Stream.concat(Stream.of("error"), row.imports().stream())
                .map(name -> rowOf(name).orElseThrow())
                .flatMap(allowed -> allowed.names().stream())
                .collect(Collectors.collectingAndThen(Collectors.toSet(), allowed -> {
                    allowed.addAll(row.names());
                    return allowed;
                }));
    }

    /** Whether a row is above the first one with a framework. */
    static boolean isPlain(Row row) {
        return ROWS.indexOf(row) < ROWS.indexOf(rowOf(FIRST_WITH_FRAMEWORK).orElseThrow());
    }

    /** The package below the root, without the root; the root itself is empty. */
    static String below(String packageName) {
        return packageName.equals(ROOT) ? "" : packageName.substring(ROOT.length() + 1);
    }

    private static Row row(String names, String imports) {
        return new Row(words(names), Set.copyOf(words(imports)));
    }

    private static Library library(String name, String users, String... prefixes) {
        return new Library(name, List.of(prefixes), Set.copyOf(words(users)));
    }

    private static List<String> words(String text) {
        return Arrays.stream(text.split(" ")).filter(word -> !word.isEmpty()).toList();
    }
}
