package dev.lory.tokenizer;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;

/** Texts put together from what tokenizers trip over; the same ones each time. */
final class OddTexts {
    private static final List<String> PARTS = List.of(
            " ",
            "  ",
            "   ",
            "\n",
            "\n\n",
            "\t",
            "\r\n",
            "\u00A0",
            "\u3000",
            "\u2028",
            "a",
            "The",
            "I'm",
            "'S",
            "WE'RE",
            "123",
            "4567",
            "٣٤",
            "½",
            "é",
            "e\u0301",
            "\u1112\u1161\u11AB",
            "中文字",
            "🦜",
            "👩‍👩‍👧‍👦",
            "\u200D",
            "\uFE0F",
            "ß",
            "İ",
            "ǅ",
            "\u0000",
            "<|im_",
            "end|>",
            "<",
            "|>",
            "▁",
            "<0x0A>",
            "…",
            "==",
            "/*",
            "$",
            "_",
            "camelCase",
            "HTTPServer",
            "नमस्ते",
            "ไทย",
            "\u05D0\u05B0",
            "العربية",
            "ﬁ",
            "A\u030A",
            "𓀀",
            "\uE000",
            "\uFFFD",
            "\uFEFF");

    private OddTexts() {}

    /** @param tokens added tokens to be strewn in */
    static List<String> of(List<String> tokens, int count) {
        Random random = new Random(20261126);
        List<String> parts = Stream.concat(PARTS.stream(), tokens.stream()).toList();
        List<String> texts = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            StringBuilder text = new StringBuilder();
            for (int length = random.nextInt(1, 15); length > 0; length--) {
                text.append(parts.get(random.nextInt(parts.size())));
            }
            texts.add(text.toString());
        }
        return texts;
    }
}
