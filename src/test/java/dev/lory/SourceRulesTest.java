package dev.lory;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.source.tree.ClassTree;
import com.sun.source.tree.CompilationUnitTree;
import com.sun.source.tree.LineMap;
import com.sun.source.tree.MethodTree;
import com.sun.source.tree.ModifiersTree;
import com.sun.source.tree.Tree;
import com.sun.source.tree.VariableTree;
import com.sun.source.util.JavacTask;
import com.sun.source.util.SourcePositions;
import com.sun.source.util.TreeScanner;
import com.sun.source.util.Trees;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import javax.lang.model.element.Modifier;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;

/** Rules over the sources themselves: sizes, where null may be, what is left undone. */
class SourceRulesTest {
    private static final int MAX_FILE_LINES = 500;
    private static final int MAX_METHOD_LINES = 60;
    /** In two parts, so that this file does not hold what it looks for. */
    private static final List<String> UNDONE = List.of("TO" + "DO", "FIX" + "ME", "XX" + "X:");

    @Test
    void filesAreShort() throws IOException {
        List<String> long_ = new ArrayList<>();
        for (Path file : sources()) {
            long lines = Files.readString(file).lines().count();
            if (lines > MAX_FILE_LINES) {
                long_.add(file + " has " + lines + " lines");
            }
        }
        assertThat(long_).isEmpty();
    }

    @Test
    void methodsAreShort() throws IOException {
        List<String> findings = new ArrayList<>();
        scan(sources(), (unit, positions) -> new LongMethods(unit, positions, findings));
        assertThat(findings).isEmpty();
    }

    @Test
    void nullNeverCrossesAMethodThatOthersCall() throws IOException {
        List<String> findings = new ArrayList<>();
        List<Path> main = sources().stream()
                .filter(file -> file.startsWith(Path.of("src", "main")))
                .toList();
        scan(main, (unit, positions) -> new PublicNulls(unit, findings));
        assertThat(findings).isEmpty();
    }

    @Test
    void nothingIsLeftUndone() throws IOException {
        List<String> findings = new ArrayList<>();
        for (Path file : sources()) {
            String text = Files.readString(file);
            UNDONE.stream().filter(text::contains).forEach(mark -> findings.add(file + " holds " + mark));
        }
        assertThat(findings).isEmpty();
    }

    @Test
    void plantedViolationsAreCaught() throws IOException {
        Path planted = Files.createTempFile("Planted", ".java");
        try {
            Files.writeString(planted, """
                    class Planted {
                        @Nullable Object field;
                        @Nullable Object answer() { return null; }
                        void take(@Nullable Object it) {}
                        private @Nullable Object fine(@Nullable Object it) { return it; }
                        @Override public @Nullable Object asTheContractSays() { return null; }
                        private static class Inside { @Nullable Object also; }
                        void tall() {%s}
                    }
                    """.formatted("\n".repeat(MAX_METHOD_LINES)));
            List<String> nulls = new ArrayList<>();
            List<String> tall = new ArrayList<>();
            scan(List.of(planted), (unit, positions) -> new PublicNulls(unit, nulls));
            scan(List.of(planted), (unit, positions) -> new LongMethods(unit, positions, tall));
            assertThat(nulls).hasSize(3);
            assertThat(tall).singleElement().asString().contains("tall");
        } finally {
            Files.delete(planted);
        }
    }

    private static List<Path> sources() throws IOException {
        List<Path> found = new ArrayList<>();
        for (Path root : List.of(Path.of("src"), Path.of("integration-tests"))) {
            if (Files.isDirectory(root)) {
                try (Stream<Path> files = Files.walk(root)) {
                    files.filter(file -> file.toString().endsWith(".java")).forEach(found::add);
                }
            }
        }
        assertThat(found).isNotEmpty();
        return found;
    }

    private interface Rule {
        TreeScanner<Void, Void> over(CompilationUnitTree unit, SourcePositions positions);
    }

    private static void scan(List<Path> files, Rule rule) throws IOException {
        var compiler = ToolProvider.getSystemJavaCompiler();
        try (var fileManager = compiler.getStandardFileManager(null, null, null)) {
            var task = (JavacTask) compiler.getTask(
                    null,
                    fileManager,
                    null,
                    List.of("-proc:none"),
                    null,
                    fileManager.getJavaFileObjectsFromPaths(files));
            SourcePositions positions = Trees.instance(task).getSourcePositions();
            for (CompilationUnitTree unit : task.parse()) {
                rule.over(unit, positions).scan(unit, null);
            }
        }
    }

    private static String at(CompilationUnitTree unit, String what) {
        return Path.of(unit.getSourceFile().getName()) + ": " + what;
    }

    private static final class LongMethods extends TreeScanner<Void, Void> {
        private final CompilationUnitTree unit;
        private final SourcePositions positions;
        private final List<String> findings;

        LongMethods(CompilationUnitTree unit, SourcePositions positions, List<String> findings) {
            this.unit = unit;
            this.positions = positions;
            this.findings = findings;
        }

        @Override
        public Void visitMethod(MethodTree method, Void unused) {
            LineMap map = unit.getLineMap();
            long end = positions.getEndPosition(unit, method);
            if (end >= 0) { // a record's compact constructor has an end, a generated one has none
                long lines = map.getLineNumber(end) - map.getLineNumber(positions.getStartPosition(unit, method)) + 1;
                if (lines > MAX_METHOD_LINES) {
                    findings.add(at(unit, method.getName() + " has " + lines + " lines"));
                }
            }
            return super.visitMethod(method, unused);
        }
    }

    /** Looks at fields, parameters and results of what is not private; locals may be null, and what a library's contract says. */
    private static final class PublicNulls extends TreeScanner<Void, Void> {
        private final CompilationUnitTree unit;
        private final List<String> findings;

        PublicNulls(CompilationUnitTree unit, List<String> findings) {
            this.unit = unit;
            this.findings = findings;
        }

        @Override
        public Void visitClass(ClassTree type, Void unused) {
            if (isPrivate(type.getModifiers())) {
                return null; // all in it is private, too
            }
            for (Tree member : type.getMembers()) {
                if (member instanceof VariableTree field && !isPrivate(field.getModifiers())) {
                    check(field.getModifiers(), type, field.getName().toString());
                }
                if (member instanceof MethodTree method
                        && !isPrivate(method.getModifiers())
                        && !has(method.getModifiers(), "Override")) {
                    check(method.getModifiers(), type, method.getName() + "()");
                    method.getParameters()
                            .forEach(parameter -> check(
                                    parameter.getModifiers(),
                                    type,
                                    method.getName() + "(" + parameter.getName() + ")"));
                }
            }
            return super.visitClass(type, unused);
        }

        private void check(ModifiersTree modifiers, ClassTree type, String what) {
            if (has(modifiers, "Nullable")) {
                findings.add(at(unit, "@Nullable on " + type.getSimpleName() + "." + what + ", which is not private"));
            }
        }

        private static boolean has(ModifiersTree modifiers, String annotation) {
            return modifiers.getAnnotations().stream()
                    .anyMatch(present -> present.getAnnotationType().toString().endsWith(annotation));
        }

        private static boolean isPrivate(ModifiersTree modifiers) {
            return modifiers.getFlags().contains(Modifier.PRIVATE);
        }
    }
}
