package dev.lory.cli;

import static dev.lory.error.ErrorCode.INVALID_CONFIGURATION;

import dev.lory.cli.BenchRun.Row;
import dev.lory.cli.BenchRun.Sample;
import dev.lory.error.ServiceException;
import dev.lory.worker.AdapterKind;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What a benchmark compares: the base, batches spread over adapters, and an X-LoRA beside the sum of the adapters. */
final class BenchCases {
    private static final String BASE = "base";
    /** All adapters in every row. */
    private static final String SUM = "sum";
    /** An X-LoRA in every row, with scalings of each token. */
    private static final String XLORA = "xlora";
    /** The same with those of the first generated token from then on. */
    private static final String FROZEN = "frozen";
    /** Half of the batch with an X-LoRA, the other half with the base, of which the speed is told. */
    private static final String BESIDE = "beside";

    private final Map<String, Path> adapters = new LinkedHashMap<>();
    private final Map<String, Path> xloras = new LinkedHashMap<>();
    private final List<String> wanted;
    private final int batch;

    /**
     * What is wanted of some adapters.
     *
     * @param wanted labels of cases; none = all
     * @throws ServiceException {@code INVALID_CONFIGURATION} for a case that there is not, or not with these adapters
     */
    BenchCases(Map<String, Path> given, List<String> wanted, int batch) {
        this.wanted = List.copyOf(wanted);
        this.batch = batch;
        given.forEach((name, path) -> (AdapterKind.of(path) == AdapterKind.XLORA ? xloras : adapters).put(name, path));
        List<String> possible = new ArrayList<>(
                Arrays.stream(Distribution.values()).map(Distribution::label).toList());
        Collections.addAll(possible, SUM, XLORA, FROZEN, BESIDE);
        for (String label : wanted) {
            if (!possible.contains(label)) {
                throw new ServiceException(
                        INVALID_CONFIGURATION, "--distribution must be one of " + possible + " but is '" + label + "'");
            }
            boolean ofXlora = List.of(XLORA, FROZEN, BESIDE).contains(label);
            if (ofXlora ? xloras.isEmpty() : adapters.isEmpty()) {
                throw new ServiceException(
                        INVALID_CONFIGURATION,
                        "--distribution needs " + (ofXlora ? "an --xlora NAME=DIR" : "at least one --adapter NAME=DIR")
                                + " for " + label);
            }
        }
    }

    /** @param rows what each row runs with */
    record Case(String name, List<Row> rows, List<Sample> samples) {
        boolean isBase() {
            return name.equals(BASE);
        }
    }

    /** Base first. */
    List<Case> cases() {
        List<Case> cases = new ArrayList<>();
        add(cases, BASE, Collections.nCopies(batch, Row.of(List.of())));
        List<String> names = slots().keySet().stream()
                .filter(name -> !xloras.containsKey(name))
                .toList();
        for (Distribution distribution : distributions()) {
            add(
                    cases,
                    distribution.label(),
                    distribution.rows(batch).stream()
                            .map(row -> Row.of(row == Distribution.BASE ? List.of() : List.of(names.get(row))))
                            .toList());
        }
        if (isWanted(SUM) && !adapters.isEmpty() && (!xloras.isEmpty() || wanted.contains(SUM))) {
            add(cases, SUM, Collections.nCopies(batch, Row.of(List.copyOf(adapters.keySet()))));
        }
        for (String name : xloras.keySet().stream().limit(1).toList()) {
            if (isWanted(XLORA)) {
                add(cases, XLORA, Collections.nCopies(batch, Row.of(List.of(name))));
            }
            if (isWanted(FROZEN)) {
                add(cases, FROZEN, Collections.nCopies(batch, Row.frozen(name, 1)));
            }
            if (isWanted(BESIDE) && batch > 1) {
                List<Row> rows = new ArrayList<>(Collections.nCopies(batch - batch / 2, Row.of(List.of())));
                rows.addAll(Collections.nCopies(batch / 2, Row.of(List.of(name)).aside()));
                add(cases, BESIDE, rows);
            }
        }
        return cases;
    }

    private static void add(List<Case> cases, String name, List<Row> rows) {
        cases.add(new Case(name, rows, new ArrayList<>()));
    }

    private List<Distribution> distributions() {
        return adapters.isEmpty()
                ? List.of()
                : Arrays.stream(Distribution.values())
                        .filter(distribution -> isWanted(distribution.label()))
                        .toList();
    }

    private boolean isWanted(String label) {
        return wanted.isEmpty() || wanted.contains(label);
    }

    /** As many adapters as the cases need, each with weights of its own; given ones are loaded again under further names. */
    Map<String, Path> slots() {
        int needed = distributions().stream()
                        .flatMap(distribution -> distribution.rows(batch).stream())
                        .mapToInt(Integer::intValue)
                        .max()
                        .orElse(0)
                + 1;
        List<Map.Entry<String, Path>> given = List.copyOf(adapters.entrySet());
        Map<String, Path> slots = new LinkedHashMap<>(adapters);
        for (int copy = given.size(); !given.isEmpty() && copy < needed; copy++) {
            var source = given.get(copy % given.size());
            slots.put(source.getKey() + "#" + (copy / given.size() + 1), source.getValue());
        }
        slots.putAll(xloras);
        return slots;
    }
}
