package dev.lory.xlora;

/**
 * What is made of a classifier's output; names and defaults are those of {@code xlora_config.json}, numbers those of PEFT's {@code XLoraModel}.
 *
 * @param softmax over the adapters of a site, {@code enable_softmax}
 * @param softmaxTopK softmax over those that {@code topK} left, {@code enable_softmax_topk}
 * @param temperature of the softmax, above 0
 * @param topK how many adapters of a site keep their scaling, the others have 0; 0 = all
 * @param passValue what every adapter is scaled with while the classifier's input is computed
 * @param globalWeight multiplies every update
 * @param nonGranularIndex {@code tgt_non_granular_index}: tokens after this generated one use its scalings; 0 = every token has its own
 */
public record XLoraSettings(
        boolean softmax,
        boolean softmaxTopK,
        double temperature,
        int topK,
        double passValue,
        double globalWeight,
        int nonGranularIndex) {
    /** All but {@link #nonGranularIndex}, which changes nothing for the tokens before it. */
    String text() {
        return "softmax=" + softmax + " softmax_topk=" + softmaxTopK + " temperature=" + temperature + " top_k=" + topK
                + " pass_value=" + passValue + " global_weight=" + globalWeight;
    }

    /** With other scalings from some generated token on. */
    public XLoraSettings nonGranular(int index) {
        return new XLoraSettings(softmax, softmaxTopK, temperature, topK, passValue, globalWeight, index);
    }
}
