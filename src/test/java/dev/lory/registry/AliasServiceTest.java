package dev.lory.registry;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lory.database.DatabaseResource;
import dev.lory.registry.Alias.Target;
import dev.lory.worker.GenerationRequest.WeightedAdapter;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import jakarta.inject.Inject;
import java.util.List;
import org.junit.jupiter.api.Test;

@QuarkusTest
@WithTestResource(DatabaseResource.class)
class AliasServiceTest {
    @Inject
    AliasService aliases;

    /** As when the reconciler read before a change here was committed, and tells after it. */
    @Test
    void isNotTakenBackByWhatWasReadBefore() {
        Alias first = replace(0, 1);
        Alias second = replace(first.revision(), 2);
        aliases.publish(List.of(first));
        assertThat(aliases.current()).containsEntry("late", second);

        aliases.delete("late", second.revision(), "test");
        aliases.publish(List.of(second));
        assertThat(aliases.current()).doesNotContainKey("late");
        assertThat(aliases.revisionOf("late")).isZero();
    }

    private Alias replace(long expected, float weight) {
        List<Target> targets = List.of(new Target(List.of(new WeightedAdapter("math", weight)), 1));
        return aliases.replace("late", targets, expected, "test").alias();
    }
}
