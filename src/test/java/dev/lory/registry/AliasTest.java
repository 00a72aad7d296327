package dev.lory.registry;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lory.registry.Alias.Target;
import dev.lory.worker.GenerationRequest.WeightedAdapter;
import java.time.Instant;
import java.util.List;
import java.util.function.Function;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Who gets which target: 10,000 users, or requests, each by hash, so every run sees the same. */
final class AliasTest {
    private static final int USERS = 10_000;

    private static Target target(double share, String... names) {
        return new Target(
                List.of(names).stream()
                        .map(name -> new WeightedAdapter(name, 1))
                        .toList(),
                share);
    }

    private static Alias alias(Target... targets) {
        return new Alias("canary", 1, List.of(targets), "API", 0, "test", Instant.EPOCH);
    }

    private static List<List<WeightedAdapter>> picks(Function<String, Target> pick) {
        return IntStream.range(0, USERS)
                .mapToObj(i -> pick.apply("user-" + i).adapters())
                .toList();
    }

    /** A count of a binomial distribution is within 4 standard deviations, but for 1 in 16,000. */
    private static void assertBinomial(long count, double probability) {
        double deviation = Math.sqrt(USERS * probability * (1 - probability));
        assertThat((double) count).isBetween(USERS * probability - 4 * deviation, USERS * probability + 4 * deviation);
    }

    private static long count(List<List<WeightedAdapter>> picks, Target target) {
        return picks.stream().filter(target.adapters()::equals).count();
    }

    @ParameterizedTest
    @ValueSource(doubles = {0.001, 0.01, 0.1, 0.5, 0.9})
    void givesEachTargetItsShare(double share) {
        Target one = target(share, "a");
        Target rest = target(1 - share, "b");
        Alias alias = alias(one, rest);
        assertBinomial(count(picks(alias::forUser), one), share);
        assertBinomial(count(picks(alias::forRequest), one), share);
    }

    @Test
    void givesEachOfManyTargetsItsShare() {
        Alias alias = alias(target(5), target(3, "a"), target(1, "a", "b"), target(0, "b"), target(1, "c"));
        List<List<WeightedAdapter>> picks = picks(alias::forUser);
        for (Target target : alias.targets()) {
            assertBinomial(count(picks, target), target.share() / 10);
        }
    }

    @Test
    void movesOnlyTheUsersItMustWhenAShareGrows() {
        Target canary = target(20, "b");
        List<List<WeightedAdapter>> before = picks(alias(target(90, "a"), target(10, "b"))::forUser);
        List<List<WeightedAdapter>> after = picks(alias(target(80, "a"), canary)::forUser);
        int moved = 0;
        for (int i = 0; i < USERS; i++) {
            if (!before.get(i).equals(after.get(i))) {
                moved++;
                assertThat(after.get(i)).as("user-%s moves to the canary", i).isEqualTo(canary.adapters());
            }
        }
        assertThat((long) moved).isEqualTo(count(after, canary) - count(before, canary));
        assertBinomial(moved, 0.1);
    }

    @Test
    void movesOnlyTheUsersOfATargetThatGoes() {
        Target gone = target(1, "c");
        List<List<WeightedAdapter>> before = picks(alias(target(1, "a"), gone, target(2, "b"))::forUser);
        List<List<WeightedAdapter>> after = picks(alias(target(1, "a"), target(2, "b"))::forUser);
        for (int i = 0; i < USERS; i++) {
            if (!before.get(i).equals(gone.adapters())) {
                assertThat(after.get(i)).as("user-%s", i).isEqualTo(before.get(i));
            }
        }
    }

    @Test
    void movesNobodyForAnotherSpelling() {
        List<List<WeightedAdapter>> before = picks(alias(target(9, "a", "b"), target(1, "c"))::forUser);
        Alias other = alias(target(10, "c"), target(90, "b", "a"));
        assertThat(picks(other::forUser).stream().map(AliasTest::sorted).toList())
                .isEqualTo(before.stream().map(AliasTest::sorted).toList());
    }

    private static List<String> sorted(List<WeightedAdapter> adapters) {
        return adapters.stream().map(WeightedAdapter::name).sorted().toList();
    }

    @Test
    void drawsAnewForEachAliasAndForRequests() {
        Target one = target(1, "a");
        Target other = target(1, "b");
        Alias alias = alias(one, other);
        Alias second = new Alias("second", 1, alias.targets(), "API", 0, "test", Instant.EPOCH);
        List<List<WeightedAdapter>> users = picks(alias::forUser);
        for (List<List<WeightedAdapter>> picks : List.of(picks(second::forUser), picks(alias::forRequest))) {
            assertBinomial(
                    IntStream.range(0, USERS)
                            .filter(i -> users.get(i).equals(picks.get(i)))
                            .count(),
                    0.5);
        }
    }
}
