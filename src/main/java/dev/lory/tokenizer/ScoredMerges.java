package dev.lory.tokenizer;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;

/**
 * SentencePiece's BPE as a list of merges. It joins the neighbours whose piece has the highest score; so each way to cut a piece into two
 * others is a merge, and the score of the piece is its rank.
 */
final class ScoredMerges {
    private record Merge(String left, String right, double score, int id) {
        String written() {
            return left + " " + right;
        }
    }

    private ScoredMerges() {}

    /**
     * The merges, the first to be done first, as {@code left right}.
     *
     * @param ids of the pieces that text may become, by their text
     * @param scores by id
     */
    static List<String> of(Map<String, Integer> ids, double[] scores) {
        List<Merge> merges = new ArrayList<>();
        ids.forEach((piece, id) -> {
            for (int cut = piece.offsetByCodePoints(0, 1); cut < piece.length(); ) {
                String left = piece.substring(0, cut);
                String right = piece.substring(cut);
                if (ids.containsKey(left) && ids.containsKey(right)) {
                    merges.add(new Merge(left, right, scores[id], id));
                }
                cut = piece.offsetByCodePoints(cut, 1);
            }
        });
        merges.sort(Comparator.comparingDouble(Merge::score)
                .reversed()
                .thenComparingInt(Merge::id)
                .thenComparing(
                        Comparator.comparingInt((Merge merge) -> merge.left().length())
                                .reversed()));
        return merges.stream().map(Merge::written).toList();
    }
}
