package dev.lory.api.openai;

import dev.lory.worker.Generation;
import dev.lory.worker.GenerationEvent;
import dev.lory.worker.GenerationEvent.Delta;
import dev.lory.worker.GenerationEvent.Finished;
import dev.lory.worker.GenerationEvent.PromptScored;
import dev.lory.worker.GenerationEvent.Token;
import dev.lory.worker.GenerationEvent.Usage;
import dev.lory.xlora.XLoraScalings;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** What one generation has said so far. */
public final class Choice {
    final int index;
    final List<Integer> promptTokenIds;
    final StringBuilder text = new StringBuilder();
    final List<Token> tokens = new ArrayList<>();
    final List<Token> promptScores = new ArrayList<>();
    private final Generation generation;
    private @Nullable Finished end;

    Choice(int index, Generation generation) {
        this.index = index;
        this.generation = generation;
        this.promptTokenIds = generation.promptTokenIds();
    }

    void take(GenerationEvent event) {
        switch (event) {
            case PromptScored scored -> promptScores.addAll(scored.tokens());
            case Delta delta -> {
                text.append(delta.text());
                tokens.addAll(delta.tokens());
            }
            case Finished finished -> end = finished;
        }
    }

    /** Which of the request's it is, from 0 on. */
    public int index() {
        return index;
    }

    /** The prompt as the model sees it. */
    public List<Integer> promptTokenIds() {
        return promptTokenIds;
    }

    /** All text so far. */
    public String text() {
        return text.toString();
    }

    /** All tokens so far. */
    public List<Token> tokens() {
        return Collections.unmodifiableList(tokens);
    }

    /** Of the prompt, where they were asked for. */
    public List<Token> promptScores() {
        return Collections.unmodifiableList(promptScores);
    }

    /** How it ended, if it has. */
    public Optional<Finished> end() {
        return Optional.ofNullable(end);
    }

    /** What an X-LoRA's adapters counted, where that was asked for and it has ended. */
    Optional<XLoraScalings> scalings() {
        return end().flatMap(ended -> generation.scalings());
    }

    /** What it took; what it has taken so far if it has not ended. */
    public Usage usage() {
        return end().map(Finished::usage).orElseGet(generation::usage);
    }

    /** What choices took together; those of one prompt share it, so it counts once. */
    static Usage total(List<Choice> choices, int choicesPerPrompt) {
        int prompt = 0;
        int completion = 0;
        int cached = 0;
        for (Choice choice : choices) {
            Usage usage = choice.usage();
            if (choice.index % choicesPerPrompt == 0) {
                prompt += usage.promptTokens();
                cached += usage.cachedTokens();
            }
            completion += usage.completionTokens();
        }
        return new Usage(prompt, completion, cached);
    }

    /** {@code stop} or {@code length}, as OpenAI spells it. */
    Optional<String> finishReason() {
        return end().map(finished -> switch (finished.reason()) {
            case STOP, STOP_STRING -> "stop";
            case LENGTH -> "length";
        });
    }
}
