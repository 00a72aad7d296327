package dev.lory.api.metrics;

import dev.lory.worker.Histogram;
import java.math.BigDecimal;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Metrics in Prometheus' text format 0.0.4. By hand, because client libraries keep names such as {@code vllm:lora_requests_info} for
 * themselves, which routers of the Kubernetes gateway read as gauges.
 */
final class Exposition {
    private final StringBuilder text = new StringBuilder();

    /** Begins a family; its samples follow. @param type {@code gauge}, {@code counter} or {@code histogram} */
    Exposition family(String name, String type, String help) {
        text.append("# HELP ").append(name).append(' ').append(help).append('\n');
        text.append("# TYPE ").append(name).append(' ').append(type).append('\n');
        return this;
    }

    /** @param labels in the order in which they are to be written */
    Exposition sample(String name, Map<String, String> labels, double value) {
        text.append(name);
        labels(labels);
        text.append(' ');
        if (value == Math.rint(value) && Math.abs(value) < 1e15) {
            text.append((long) value);
        } else {
            text.append(Double.isFinite(value) ? BigDecimal.valueOf(value).toPlainString() : value);
        }
        text.append('\n');
        return this;
    }

    /** A family with one sample. */
    Exposition single(String name, String type, String help, Map<String, String> labels, double value) {
        return family(name, type, help).sample(name, labels, value);
    }

    /** A family with one histogram and no other label. */
    Exposition histogram(String name, String help, Histogram histogram) {
        return family(name, "histogram", help).histogram(name, Map.of(), histogram);
    }

    /** One histogram of a family. */
    Exposition histogram(String name, Map<String, String> labels, Histogram histogram) {
        long below = 0;
        for (int i = 0; i < histogram.counts().size(); i++) {
            below += histogram.counts().get(i);
            Map<String, String> bounded = new LinkedHashMap<>(labels);
            bounded.put(
                    "le",
                    i < histogram.bounds().size()
                            ? Double.toString(histogram.bounds().get(i))
                            : "+Inf");
            sample(name + "_bucket", bounded, below);
        }
        return sample(name + "_sum", labels, histogram.sum()).sample(name + "_count", labels, below);
    }

    private void labels(Map<String, String> labels) {
        if (labels.isEmpty()) {
            return;
        }
        text.append('{');
        for (Iterator<Map.Entry<String, String>> each = labels.entrySet().iterator(); each.hasNext(); ) {
            Map.Entry<String, String> label = each.next();
            text.append(label.getKey()).append("=\"");
            label.getValue().codePoints().forEach(this::escaped);
            text.append('"').append(each.hasNext() ? "," : "");
        }
        text.append('}');
    }

    private void escaped(int character) {
        switch (character) {
            case '\\' -> text.append("\\\\");
            case '"' -> text.append("\\\"");
            case '\n' -> text.append("\\n");
            default -> text.appendCodePoint(character);
        }
    }

    @Override
    public String toString() {
        return text.toString();
    }
}
