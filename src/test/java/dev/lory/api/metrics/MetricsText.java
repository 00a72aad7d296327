package dev.lory.api.metrics;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A text in Prometheus' format 0.0.4, read strictly: what the format allows and a reader might still stumble over (samples without a type, two
 * samples of the same labels, a family in two places) is an error here.
 */
final class MetricsText {
    /** One line with a value. */
    record Sample(String name, Map<String, String> labels, double value) {}

    private static final Pattern COMMENT = Pattern.compile("# (HELP|TYPE) ([a-zA-Z_:][a-zA-Z0-9_:]*) (.*)");
    private static final Pattern SAMPLE = Pattern.compile("([a-zA-Z_:][a-zA-Z0-9_:]*)(\\{(.*)})? (\\S+)");
    private static final Pattern LABEL =
            Pattern.compile("([a-zA-Z_][a-zA-Z0-9_]*)=\"((?:[^\"\\\\\n]|\\\\[\\\\\"n])*)\"(,|$)");

    private final Map<String, String> types = new HashMap<>();
    private final Set<String> helped = new HashSet<>();
    private final Set<String> closed = new HashSet<>();
    private final Set<String> seen = new HashSet<>();
    private final List<Sample> samples = new ArrayList<>();
    private String family = "";

    private MetricsText() {}

    /** @throws IllegalArgumentException naming the line */
    static MetricsText parse(String text) {
        if (!text.endsWith("\n")) {
            throw new IllegalArgumentException("the last line does not end");
        }
        MetricsText parsed = new MetricsText();
        for (String line : text.split("\n")) {
            parsed.line(line);
        }
        parsed.types.forEach((name, type) -> {
            if (type.equals("histogram")) {
                parsed.checkHistogram(name);
            }
        });
        return parsed;
    }

    /** The samples of a name. */
    List<Sample> of(String name) {
        return samples.stream().filter(sample -> sample.name().equals(name)).toList();
    }

    /** The only sample of a name. */
    Sample one(String name) {
        List<Sample> found = of(name);
        if (found.size() != 1) {
            throw new IllegalArgumentException(found.size() + " samples of " + name);
        }
        return found.getFirst();
    }

    String type(String name) {
        return types.getOrDefault(name, "");
    }

    private void line(String line) {
        Matcher comment = COMMENT.matcher(line);
        Matcher sample = SAMPLE.matcher(line);
        if (comment.matches()) {
            describe(comment.group(1), comment.group(2), comment.group(3), line);
        } else if (line.startsWith("#") || !sample.matches()) {
            throw new IllegalArgumentException("no line of the format: " + line);
        } else {
            String labels = sample.group(3) == null ? "" : sample.group(3);
            add(new Sample(sample.group(1), labels(labels, line), value(sample.group(4), line)), line);
        }
    }

    private void describe(String what, String name, String rest, String line) {
        if (!name.equals(family)) {
            closed.add(family);
            family = name;
        }
        boolean first = what.equals("HELP") ? helped.add(name) : types.put(name, rest) == null;
        if (!first || closed.contains(name)) {
            throw new IllegalArgumentException("said twice: " + line);
        }
        if (what.equals("TYPE")
                && !Set.of("counter", "gauge", "histogram", "summary", "untyped")
                        .contains(rest)) {
            throw new IllegalArgumentException("no type: " + line);
        }
    }

    private void add(Sample sample, String line) {
        String rest = sample.name().startsWith(family) ? sample.name().substring(family.length()) : "?";
        boolean belongs = switch (type(family)) {
            case "counter", "gauge", "untyped" -> rest.isEmpty();
            case "histogram" -> Set.of("_bucket", "_sum", "_count").contains(rest);
            case "summary" -> Set.of("", "_sum", "_count").contains(rest);
            default -> false;
        };
        if (!belongs) {
            throw new IllegalArgumentException("not of the family " + family + ": " + line);
        }
        if (!seen.add(sample.name() + new TreeMap<>(sample.labels()))) {
            throw new IllegalArgumentException("said twice: " + line);
        }
        samples.add(sample);
    }

    private static Map<String, String> labels(String text, String line) {
        Map<String, String> labels = new LinkedHashMap<>();
        Matcher label = LABEL.matcher(text);
        int at = 0;
        while (at < text.length()) {
            if (!label.find(at) || label.start() != at) {
                throw new IllegalArgumentException("labels are broken: " + line);
            }
            String value =
                    label.group(2).replace("\\n", "\n").replace("\\\"", "\"").replace("\\\\", "\\");
            if (labels.put(label.group(1), value) != null) {
                throw new IllegalArgumentException("a label twice: " + line);
            }
            at = label.end();
        }
        return labels;
    }

    private static double value(String text, String line) {
        return switch (text) {
            case "+Inf" -> Double.POSITIVE_INFINITY;
            case "-Inf" -> Double.NEGATIVE_INFINITY;
            case "NaN" -> Double.NaN;
            default -> {
                if (!text.matches("[-+]?[0-9.]+([eE][-+]?[0-9]+)?")) {
                    throw new IllegalArgumentException("no number: " + line);
                }
                yield Double.parseDouble(text);
            }
        };
    }

    /** Ranges rise, what is in them does not fall, and the last holds all. */
    private void checkHistogram(String name) {
        Map<Map<String, String>, Sample> last = new HashMap<>();
        for (Sample bucket : of(name + "_bucket")) {
            Map<String, String> others = new TreeMap<>(bucket.labels());
            double bound = value(String.valueOf(others.remove("le")), name);
            Sample before = last.put(others, bucket);
            if (before != null
                    && (value(String.valueOf(before.labels().get("le")), name) >= bound
                            || before.value() > bucket.value())) {
                throw new IllegalArgumentException(name + " falls at " + bound);
            }
        }
        for (Sample count : of(name + "_count")) {
            Sample all = last.get(new TreeMap<>(count.labels()));
            if (all == null
                    || all.value() != count.value()
                    || !"+Inf".equals(all.labels().get("le"))) {
                throw new IllegalArgumentException(name + " does not count all: " + all);
            }
        }
    }
}
