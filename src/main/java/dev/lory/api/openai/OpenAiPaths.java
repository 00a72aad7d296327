package dev.lory.api.openai;

import java.util.Set;

/** Where OpenAI's clients ask: below {@code /v1}, and at the paths that vLLM and llama.cpp have beside it. */
public final class OpenAiPaths {
    private static final Set<String> BESIDE = Set.of("/tokenize", "/detokenize", "/apply-template");

    private OpenAiPaths() {}

    /** Whether a path is for generating: it wants the API key, and has errors as OpenAI has them. */
    public static boolean contains(String path) {
        return path.startsWith("/v1") || BESIDE.contains(path);
    }
}
