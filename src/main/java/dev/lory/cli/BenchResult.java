package dev.lory.cli;

import dev.lory.cli.BenchRun.Sample;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToDoubleFunction;

/**
 * What a benchmark case came to.
 *
 * @param name {@code base}, or a {@link Distribution}
 * @param samples one for each repetition
 */
record BenchResult(String name, List<Sample> samples) {
    BenchResult {
        samples = List.copyOf(samples);
    }

    double prefill() {
        return median(samples.stream().mapToDouble(Sample::prefill).toArray());
    }

    double decode() {
        return median(samples.stream().mapToDouble(Sample::decode).toArray());
    }

    /** Largest minus smallest decode speed over the median, in per cent. */
    double spread() {
        var decodes = samples.stream().mapToDouble(Sample::decode).summaryStatistics();
        return 100 * (decodes.getMax() - decodes.getMin()) / decode();
    }

    /** Median over the repetitions of this case's speed over the base's in the same repetition, so slow drift cancels out. */
    double ratioTo(BenchResult base, ToDoubleFunction<Sample> speed) {
        double[] ratios = new double[samples.size()];
        for (int i = 0; i < ratios.length; i++) {
            ratios[i] = speed.applyAsDouble(samples.get(i))
                    / speed.applyAsDouble(base.samples().get(i));
        }
        return median(ratios);
    }

    /** The result as one JSON object, over what all cases share. */
    Map<String, Object> json(Map<String, Object> settings, BenchResult base) {
        Map<String, Object> line = new LinkedHashMap<>();
        line.put("case", name);
        line.put("prefill_tok_s", number(prefill()));
        line.put("decode_tok_s", number(decode()));
        line.put("decode_spread_percent", number(spread()));
        line.put("prefill_ratio_to_base", number(ratioTo(base, Sample::prefill)));
        line.put("decode_ratio_to_base", number(ratioTo(base, Sample::decode)));
        line.put(
                "samples",
                Map.of(
                        "prefill_tok_s",
                        samples.stream().map(sample -> number(sample.prefill())).toList(),
                        "decode_tok_s",
                        samples.stream().map(sample -> number(sample.decode())).toList()));
        line.putAll(settings);
        return line;
    }

    static double median(double... values) {
        double[] sorted = values.clone();
        java.util.Arrays.sort(sorted);
        int middle = sorted.length / 2;
        return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }

    /** Three decimals; what is no number, such as decode speed without decode, is -1, for JSON has no NaN. */
    static double number(double value) {
        return Double.isFinite(value) ? Math.round(value * 1000) / 1000.0 : -1;
    }
}
