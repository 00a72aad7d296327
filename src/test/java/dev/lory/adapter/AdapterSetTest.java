package dev.lory.adapter;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lory.adapter.AdapterSet.Member;
import java.util.List;
import org.junit.jupiter.api.Test;

final class AdapterSetTest {
    private static AdapterSetKey key(Member... members) {
        return AdapterSet.of(List.of(members)).key();
    }

    @Test
    void theKeyOfASumHasNoOrder() {
        assertThat(key(new Member("aa", 0, 1), new Member("bb", 1, 0.5f)))
                .isEqualTo(key(new Member("bb", 1, 0.5f), new Member("aa", 0, 1)));
    }

    @Test
    void theKeyDependsOnContentsAndWeights() {
        AdapterSetKey key = key(new Member("aa", 0, 1), new Member("bb", 1, 0.5f));

        assertThat(key(new Member("aa", 0, 0.5f), new Member("bb", 1, 1))).isNotEqualTo(key);
        assertThat(key(new Member("aa", 0, 1), new Member("bb", 1, Math.nextUp(0.5f))))
                .isNotEqualTo(key);
        assertThat(key(new Member("aa", 0, 1), new Member("cc", 1, 0.5f))).isNotEqualTo(key);
        assertThat(key(new Member("aa", 0, 1))).isNotEqualTo(key);
    }

    @Test
    void theKeyDoesNotDependOnTheSlot() {
        assertThat(key(new Member("aa", 0, 1))).isEqualTo(key(new Member("aa", 7, 1)));
    }

    @Test
    void noAdapterIsTheBase() {
        assertThat(AdapterSet.of(List.of())).isSameAs(AdapterSet.BASE);
        assertThat(key()).isEqualTo(AdapterSetKey.BASE).isNotEqualTo(key(new Member("", 0, 0)));
    }
}
