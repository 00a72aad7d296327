package dev.lory.xlora;

import dev.lory.adapter.AdapterSet;
import dev.lory.adapter.AdapterSet.Member;
import dev.lory.adapter.AdapterSetKey;
import java.util.ArrayList;
import java.util.List;

/**
 * An X-LoRA as one sequence runs with it. A token is computed twice: first with every adapter at the same constant, which for 0 is the base
 * model, to find out from its hidden state what each adapter counts; then with that.
 *
 * @param tally where what the adapters count is summed up
 * @param traced whether it will be asked what every token's scalings were, so that none may come from the cache
 * @param scaling what the first pass runs with
 * @param main what the second runs with; member i is adapter i, its weight that of all scalings
 */
public record XLoraRun(
        XLoraWeights weights,
        XLoraSettings settings,
        XLoraTally tally,
        boolean traced,
        AdapterSet scaling,
        AdapterSet main) {
    /**
     * A sequence's own.
     *
     * @param slots of the experts, in order
     * @param tally and {@code traced}: as in the record
     */
    public static XLoraRun of(
            XLoraWeights weights, List<Integer> slots, XLoraSettings settings, XLoraTally tally, boolean traced) {
        float global = (float) settings.globalWeight();
        float constant = (float) (settings.passValue() * settings.globalWeight());
        List<Member> main = new ArrayList<>();
        List<Member> scaling = new ArrayList<>();
        for (int i = 0; i < slots.size(); i++) {
            String digest = weights.experts().get(i).digest();
            main.add(new Member(digest, slots.get(i), global));
            scaling.add(new Member(digest, slots.get(i), constant));
        }
        AdapterSetKey key = AdapterSetKey.ofContent("xlora " + weights.digest() + " " + settings.text());
        return new XLoraRun(
                weights,
                settings,
                tally,
                traced,
                settings.passValue() == 0 ? AdapterSet.BASE : AdapterSet.of(scaling),
                new AdapterSet(main, key));
    }

    public XLoraClassifier classifier() {
        return weights.classifier();
    }
}
