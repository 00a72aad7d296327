package dev.lory.template;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import org.junit.jupiter.api.Test;

class SearchTest {
    @Test
    void findsTheSamePlacesAsTheJdk() {
        Random random = new Random(7);
        for (int round = 0; round < 3000; round++) {
            String text = letters(random, 200);
            int from = random.nextInt(text.length());
            int length = Math.min(random.nextInt(90), text.length() - from);
            String wanted = random.nextInt(4) == 0 ? letters(random, 60) : text.substring(from, from + length);
            int start = random.nextInt(text.length());

            assertThat(Search.first(text, wanted, start)).isEqualTo(text.indexOf(wanted, start));
            assertThat(Search.last(text, wanted)).isEqualTo(text.lastIndexOf(wanted));
            assertThat(Search.last(text, wanted, start))
                    .isEqualTo(text.substring(0, start).lastIndexOf(wanted));
        }
    }

    private static String letters(Random random, int length) {
        return random.ints(length, 'a', 'c').mapToObj(Character::toString).reduce("", String::concat);
    }
}
