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
 * @param scaling what the first pass runs with
 * @param main what the second runs with; member i is adapter i, its weight that of all scalings
 */
public record XLoraRun(XLoraClassifier classifier, XLoraSettings settings, AdapterSet scaling, AdapterSet main) {
    /** @param slots of the experts, in order */
    public static XLoraRun of(XLoraWeights weights, List<Integer> slots, XLoraSettings settings) {
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
                weights.classifier(),
                settings,
                settings.passValue() == 0 ? AdapterSet.BASE : AdapterSet.of(scaling),
                new AdapterSet(main, key));
    }
}
