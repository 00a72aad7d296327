package dev.lory.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.lory.tokenizer.Tokenizer;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code lory tokenize}: texts as token ids, and what these say again. No weights are read. */
@Command(
        name = "tokenize",
        description = {
            "Token ids of texts, a line of JSON each: {\"text\": …} gives {\"ids\": […], \"decoded\": …}.",
            "\"add_special_tokens\": whether what the model expects around a text, such as BOS, is added; default: true.",
            "\"parse_special\": whether special tokens spelled out in the text are such; default: true."
        },
        mixinStandardHelpOptions = true)
final class TokenizeCommand implements Callable<Integer> {
    @Option(
            names = "--tokenizer",
            paramLabel = "PATH",
            description = "A tokenizer.json, a folder that has one, or a .gguf file; default: the demo model's.")
    private @Nullable Path tokenizer;

    @Mixin
    private InputOutput files = new InputOutput();

    @Override
    public Integer call() throws InterruptedException {
        files.check();
        Path path = tokenizer == null ? WorkerFlags.demoModel() : WorkerFlags.existing("--tokenizer", tokenizer);
        try (Tokenizer opened = Tokenizer.open(path)) {
            files.run((lines, answers) -> JsonLines.answer(lines, answers, line -> answer(opened, line)));
        }
        return 0;
    }

    /** The answer to one line. */
    static ObjectNode answer(Tokenizer tokenizer, ObjectNode line) {
        String text = JsonLines.text(line, "text").orElseThrow(() -> JsonLines.missing("text"));
        int[] ids = tokenizer.encode(
                text, JsonLines.flag(line, "add_special_tokens", true), JsonLines.flag(line, "parse_special", true));
        ObjectNode answer = JsonLines.JSON.createObjectNode();
        ArrayNode list = answer.putArray("ids");
        for (int id : ids) {
            list.add(id);
        }
        return answer.put("decoded", tokenizer.decode(ids, false));
    }
}
