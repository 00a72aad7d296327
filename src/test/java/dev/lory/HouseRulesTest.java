package dev.lory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.tngtech.archunit.core.domain.Dependency;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaMethod;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import dev.lory.House.Library;
import dev.lory.House.Row;
import dev.lory.kernel.planted.ImportsUpwards;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.jspecify.annotations.NullMarked;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The rules of {@link House} over the compiled main classes. */
class HouseRulesTest {
    private static final JavaClasses MAIN = new ClassFileImporter().importPath(Path.of("target", "classes"));

    static Set<String> packages() {
        var names = new TreeSet<String>();
        MAIN.forEach(type -> names.add(House.below(type.getPackageName())));
        return names;
    }

    static Stream<Library> libraries() {
        return House.LIBRARIES.stream();
    }

    @ParameterizedTest
    @MethodSource("packages")
    void packageHasARowInTheTable(String name) {
        assertThat(House.rowOf(name))
                .as("row of package %s in House.ROWS", name)
                .isPresent();
    }

    @ParameterizedTest
    @MethodSource("packages")
    void packageImportsOnlyWhatTheTableAllows(String name) {
        assertThat(typesIn(name).flatMap(HouseRulesTest::wrongImports)).isEmpty();
    }

    @ParameterizedTest
    @MethodSource("packages")
    void packageTouchesOnlyItsOwnLibraries(String name) {
        assertThat(typesIn(name).flatMap(HouseRulesTest::wrongLibraries)).isEmpty();
    }

    @ParameterizedTest
    @MethodSource("packages")
    void packageIsNullMarkedAndNamedAfterItsJob(String name) {
        String full = name.isEmpty() ? House.ROOT : House.ROOT + "." + name;
        assertThat(MAIN.containPackage(full)).isTrue();
        assertThat(MAIN.getPackage(full).isAnnotatedWith(NullMarked.class))
                .as("@NullMarked in package-info.java of %s", full)
                .isTrue();
        assertThat(full.split("\\.")).doesNotContainAnyElementsOf(House.REFUSED_PACKAGES);
    }

    @Test
    void rowSeesOnlyRowsAboveIt() {
        for (Row row : House.ROWS) {
            for (String name : row.imports()) {
                Row seen = House.rowOf(name).orElseThrow();
                assertThat(House.ROWS.indexOf(seen))
                        .as("%s above %s", name, row)
                        .isLessThan(House.ROWS.indexOf(row));
            }
        }
    }

    @ParameterizedTest
    @MethodSource("libraries")
    void libraryBelongsToPackagesOfTheTable(Library library) {
        assertThat(library.users()).allMatch(user -> House.rowOf(user).isPresent());
    }

    @Test
    void onlyBackendsOfTheWorkerNamesADevice() {
        Stream<String> named = MAIN.stream()
                .filter(type -> House.below(type.getPackageName()).startsWith("worker"))
                .filter(type -> !type.getSimpleName().equals("Backends"))
                .flatMap(type -> type.getDirectDependenciesFromSelf().stream())
                .filter(use -> use.getTargetClass().getPackageName().startsWith("dev.lory.kernel."))
                .map(Dependency::getDescription);
        assertThat(named).isEmpty();
    }

    /** The JVM is told not to inline them, and a vector that crosses a call lies on the heap. */
    @Test
    void vectorLoopsSpeakOfAddresses() {
        Stream<JavaMethod> loops = typesIn("kernel.cpu")
                .filter(type -> type.getSimpleName().startsWith("Vector"))
                .flatMap(type -> type.getMethods().stream());
        assertThat(loops)
                .isNotEmpty()
                .noneMatch(method -> Stream.concat(
                                Stream.of(method.getRawReturnType()), method.getRawParameterTypes().stream())
                        .anyMatch(type -> type.getPackageName().equals("jdk.incubator.vector")));
    }

    @Test
    void typeNamesSayWhatATypeIs() {
        Stream<String> refused = MAIN.stream()
                .map(JavaClass::getName)
                .filter(name -> House.REFUSED_SUFFIXES.stream().anyMatch(name::endsWith));
        assertThat(refused).isEmpty();
    }

    @Test
    void publicRecordsHoldNoArrays() {
        Stream<String> arrays = MAIN.stream()
                .filter(type -> type.isRecord() && type.getModifiers().contains(JavaModifier.PUBLIC))
                .flatMap(type -> type.getFields().stream())
                .filter(field -> !field.getModifiers().contains(JavaModifier.STATIC)
                        && field.getRawType().isArray())
                .map(field -> field.getFullName());
        assertThat(arrays).isEmpty();
    }

    @Test
    void optionalIsOnlyReturned() {
        Stream<String> fields = MAIN.stream()
                .filter(type -> !type.isRecord())
                .flatMap(type -> type.getFields().stream())
                .filter(field -> field.getRawType().getName().equals("java.util.Optional"))
                .map(field -> field.getFullName());
        Stream<String> parameters = MAIN.stream()
                .flatMap(type -> type.getMethods().stream())
                .filter(method -> !method.getModifiers().contains(JavaModifier.SYNTHETIC)
                        && !method.getModifiers().contains(JavaModifier.PRIVATE))
                .filter(HouseRulesTest::takesAnOptional)
                .map(JavaMethod::getFullName);
        assertThat(Stream.concat(fields, parameters)).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"org.mockito.Mockito", "org.easymock.EasyMock"})
    void fakesAreWrittenByHand(String mockingLibrary) {
        assertThatThrownBy(() -> Class.forName(mockingLibrary)).isInstanceOf(ClassNotFoundException.class);
    }

    @Test
    void plantedViolationIsCaught() {
        JavaClass planted =
                new ClassFileImporter().importClasses(ImportsUpwards.class).get(ImportsUpwards.class);

        assertThat(wrongImports(planted)).singleElement().asString().contains("dev.lory.worker.Worker");
        assertThat(wrongLibraries(planted))
                .anySatisfy(use -> assertThat(use).contains("java.lang.foreign.Linker"))
                .anySatisfy(use -> assertThat(use).contains("java.sql.Connection"))
                .anySatisfy(use -> assertThat(use).contains("jakarta.enterprise.context.ApplicationScoped"));
    }

    private static Stream<JavaClass> typesIn(String name) {
        return MAIN.stream().filter(type -> House.below(type.getPackageName()).equals(name));
    }

    /** What a type uses of Lory although the row of its package does not say so. */
    private static Stream<String> wrongImports(JavaClass type) {
        Set<String> allowed = House.importable(rowOf(type));
        return type.getDirectDependenciesFromSelf().stream()
                .filter(use -> use.getTargetClass().getPackageName().startsWith(House.ROOT))
                .filter(use -> !use.getTargetClass().equals(type))
                .filter(use ->
                        !allowed.contains(House.below(use.getTargetClass().getPackageName())))
                .map(Dependency::getDescription);
    }

    /** What a type uses of libraries that are not its package's. */
    private static Stream<String> wrongLibraries(JavaClass type) {
        Row row = rowOf(type);
        List<String> wrong = new ArrayList<>();
        for (Dependency use : type.getDirectDependenciesFromSelf()) {
            String target = use.getTargetClass().getBaseComponentType().getName();
            List<Library> libraries = House.LIBRARIES.stream()
                    .filter(library -> library.holds(target))
                    .toList();
            boolean listed = !libraries.isEmpty()
                    && libraries.stream()
                            .allMatch(library -> row.names().stream().anyMatch(library.users()::contains));
            boolean common = libraries.isEmpty() && (!House.isPlain(row) || isPlain(target));
            if (!listed && !common) {
                wrong.add(use.getDescription());
            }
        }
        return wrong.stream();
    }

    private static boolean isPlain(String className) {
        return !className.contains(".")
                || className.startsWith(House.ROOT + ".")
                || House.PLAIN.stream().anyMatch(className::startsWith);
    }

    /** The row of the nearest enclosing package that has one. */
    private static Row rowOf(JavaClass type) {
        String name = House.below(type.getPackageName());
        while (House.rowOf(name).isEmpty() && name.contains(".")) {
            name = name.substring(0, name.lastIndexOf('.'));
        }
        return House.rowOf(name).orElseThrow(() -> new AssertionError("no row in the table for " + type.getName()));
    }

    private static boolean takesAnOptional(JavaMethod method) {
        return Arrays.stream(method.reflect().getParameterTypes())
                .anyMatch(parameter -> parameter.getName().equals("java.util.Optional"));
    }
}
