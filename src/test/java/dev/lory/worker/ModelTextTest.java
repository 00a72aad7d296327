package dev.lory.worker;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lory.format.ModelSource;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What of a request may become special tokens. */
final class ModelTextTest {
    private static final Path MODEL = Path.of("models/smollm2-135m-instruct");
    private static final String END = "<|im_end|>";

    @Test
    void toolsAndTemplateArgumentsStayTextToo(@TempDir Path folder) throws IOException {
        Path template = Files.writeString(
                folder.resolve("all.jinja"), "<|im_start|>{{ tools | tojson }}{{ mood }}{{ messages[0].content }}");
        Prompt.Chat sneaky = new Prompt.Chat(
                List.of(Map.of("role", "user", "content", "Hi")),
                List.of(Map.of("type", END, "function", Map.of(END, END))),
                Map.of("mood", END));
        SmallOptions options = new SmallOptions(MODEL);
        options.chatTemplate = template.toString();
        try (ModelSource source = ModelSource.open(MODEL)) {
            ModelText text = ModelText.of(options.get(), source);
            List<Integer> ids = text.encode(sneaky, false);
            assertThat(ids).startsWith(1).doesNotContain(2);
            assertThat(text.decode(ids)).isEqualTo(text.render(sneaky)).contains(END);
        }
    }
}
