package dev.lory.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.lory.cli.BenchRun.Sample;
import dev.lory.worker.Roofline;
import java.io.PrintWriter;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;

/**
 * What a benchmark came to, for programs and for people.
 *
 * @param results the base's first
 * @param compared of other programs, in the same repetitions
 * @param settings what all share
 */
record BenchReport(
        List<BenchResult> results, List<BenchResult> compared, Roofline roofline, Map<String, Object> settings) {
    BenchReport {
        results = List.copyOf(results);
        compared = List.copyOf(compared);
        settings = Collections.unmodifiableMap(new LinkedHashMap<>(settings)); // in their order
    }

    /** One JSON line for each case, and a table. */
    void print(PrintWriter lines, PrintWriter table) throws JsonProcessingException {
        ObjectMapper json = new ObjectMapper();
        BenchResult base = results.getFirst();
        Map<String, Object> shared = new LinkedHashMap<>(settings);
        if (roofline.bytesPerSecond() > 0) {
            shared.put("prefill_limit_tok_s", BenchResult.number(roofline.prefillLimit()));
            shared.put("decode_limit_tok_s", BenchResult.number(roofline.decodeLimit()));
        }
        table.printf(
                Locale.ROOT,
                "%-10s %14s %14s %8s %9s %9s%n",
                "case",
                "prefill tok/s",
                "decode tok/s",
                "spread",
                "prefill×",
                "decode×");
        for (BenchResult result :
                Stream.concat(results.stream(), compared.stream()).toList()) {
            lines.println(json.writeValueAsString(result.json(shared, base)));
            row(table, result, base);
        }
        for (BenchResult other : compared) {
            table.printf(
                    Locale.ROOT,
                    "base / %s: prefill %.2f, decode %.2f%n",
                    other.name(),
                    base.ratioTo(other, Sample::prefill),
                    base.ratioTo(other, Sample::decode));
        }
        limits(table, base);
        lines.flush();
        table.flush();
    }

    private static void row(PrintWriter table, BenchResult result, BenchResult base) {
        table.printf(
                Locale.ROOT,
                "%-10s %14.1f %14.1f %7.1f%% %9.3f %9.3f%n",
                result.name(),
                result.prefill(),
                result.decode(),
                result.spread(),
                result.ratioTo(base, Sample::prefill),
                result.ratioTo(base, Sample::decode));
    }

    private void limits(PrintWriter table, BenchResult base) {
        if (roofline.bytesPerSecond() == 0) {
            return;
        }
        table.printf(
                Locale.ROOT,
                "this machine reads %.1f GB/s and multiplies %.0f G/s; a token needs %.3f GB and %.3f G:%n",
                roofline.bytesPerSecond() / 1e9,
                roofline.productsPerSecond() / 1e9,
                roofline.weightBytes() / 1e9,
                roofline.weights() / 1e9);
        table.printf(
                Locale.ROOT,
                "prefill at most %.0f tok/s, base %.0f %%; decode of one sequence at most %.0f tok/s, base %.0f %%%n",
                roofline.prefillLimit(),
                100 * base.prefill() / roofline.prefillLimit(),
                roofline.decodeLimit(),
                100 * base.decode() / roofline.decodeLimit());
    }
}
