package dev.lory.api;

import java.util.Comparator;
import java.util.List;

/**
 * What holds for a path and all below it.
 *
 * @param envelope how its errors look
 * @param key whose key it wants
 */
public record ApiPath(String path, Envelope envelope, Key key) {
    /** Whose key a path wants, where keys are configured. */
    public enum Key {
        /** Nobody's. */
        NONE,
        /** Of whoever generates. */
        TENANT,
        /** Of whoever administers. */
        ADMIN
    }

    private static final ApiPath OTHER = new ApiPath("", Envelope.PROBLEM, Key.NONE);

    /** The longest path that fits counts. */
    private static final List<ApiPath> ALL = List.of(
            new ApiPath("/v1", Envelope.OPENAI, Key.TENANT),
            new ApiPath("/v1/load_lora_adapter", Envelope.OPENAI, Key.ADMIN),
            new ApiPath("/v1/unload_lora_adapter", Envelope.OPENAI, Key.ADMIN),
            new ApiPath("/load_lora_adapter", Envelope.OPENAI, Key.ADMIN),
            new ApiPath("/unload_lora_adapter", Envelope.OPENAI, Key.ADMIN),
            new ApiPath("/tokenize", Envelope.OPENAI, Key.TENANT),
            new ApiPath("/detokenize", Envelope.OPENAI, Key.TENANT),
            new ApiPath("/apply-template", Envelope.OPENAI, Key.TENANT),
            new ApiPath("/completion", Envelope.LLAMA_CPP, Key.TENANT),
            new ApiPath("/lora-adapters", Envelope.LLAMA_CPP, Key.ADMIN),
            new ApiPath("/generate", Envelope.TGI, Key.TENANT),
            new ApiPath("/generate_stream", Envelope.TGI, Key.TENANT),
            new ApiPath("/info", Envelope.TGI, Key.TENANT),
            new ApiPath("/activate_adapters", Envelope.PROBLEM, Key.ADMIN),
            new ApiPath("/api", Envelope.PROBLEM, Key.ADMIN));

    /** What holds for a request's path. */
    public static ApiPath of(String requested) {
        return ALL.stream()
                .filter(entry -> requested.equals(entry.path()) || requested.startsWith(entry.path() + "/"))
                .max(Comparator.comparingInt(entry -> entry.path().length()))
                .orElse(OTHER);
    }
}
