package dev.lory.api.openai;

import java.util.List;
import org.eclipse.microprofile.openapi.annotations.enums.SchemaType;
import org.eclipse.microprofile.openapi.annotations.media.Schema;

/** The bodies of the OpenAI API for the OpenAPI document; requests are read and answers written field by field. */
final class Schemas {
    private Schemas() {}

    @Schema(name = "Message", description = "A message of a conversation")
    record Message(
            @Schema(required = true, examples = "user", description = "system, developer, user, assistant or tool")
            String role,

            @Schema(
                    required = true,
                    examples = "A shop has 35 eggs. It receives 21 and sells 8. How many eggs remain?",
                    description = "A string, or an array of parts {type: text, text}")
            String content) {}

    @Schema(name = "SelectedAdapter", description = "An adapter and what its update is multiplied with")
    record Weighted(
            @Schema(required = true, examples = "math") String name,
            @Schema(defaultValue = "1") double weight) {}

    @Schema(name = "XLoraOptions", description = "What is to be otherwise than the selected X-LoRA is set")
    record XLora(
            @Schema(name = "top_k", minimum = "1", description = "Adapters of a site that keep their scaling")
            int topK,

            @Schema(name = "softmax_temperature") double softmaxTemperature,
            @Schema(name = "global_scaling_weight") double globalScalingWeight,

            @Schema(
                    name = "non_granular_index",
                    minimum = "1",
                    description = "Tokens after this generated one use its scalings, which saves their scaling pass")
            int nonGranularIndex) {}

    @Schema(
            name = "ChatCompletionRequest",
            description = "As OpenAI's, with vLLM's sampling fields and Lory's adapters; unknown fields are ignored")
    record ChatRequest(
            @Schema(
                    examples = "math",
                    description = "The base model, an adapter, an alias, or base:adapter; GET /v1/models lists them")
            String model,

            @Schema(description = "Whoever asks; an alias with several targets gives the same user the same one")
            String user,

            @Schema(required = true) List<Message> messages,

            @Schema(
                    type = SchemaType.ARRAY,
                    implementation = Weighted.class,
                    description =
                            "The adapters for this request only, names or {name, weight}, summed; [] = the base model;"
                                    + " absent = the current activation")
            List<Weighted> adapters,

            XLora xlora,

            @Schema(
                    name = "adapter_scalings",
                    defaultValue = "none",
                    enumeration = {"none", "summary", "full"},
                    description = "What the adapters of an X-LoRA counted, in the choice: their means, or all of it")
            String adapterScalings,

            boolean stream,

            @Schema(name = "max_completion_tokens", description = "Absent = what is left of the context")
            int maxCompletionTokens,

            @Schema(defaultValue = "1", minimum = "0", description = "0 = greedy")
            double temperature,

            @Schema(name = "top_p", defaultValue = "1") double topP,

            @Schema(name = "top_k", defaultValue = "0", description = "0 = all tokens")
            int topK,

            @Schema(name = "min_p", defaultValue = "0") double minP,
            long seed,
            @Schema(defaultValue = "1") int n,
            List<String> stop,
            boolean logprobs,
            @Schema(name = "top_logprobs") int topLogprobs,
            @Schema(name = "return_token_ids") boolean returnTokenIds) {}

    @Schema(
            name = "CompletionRequest",
            description = "As OpenAI's, with vLLM's sampling fields and Lory's adapters; unknown fields are ignored")
    record CompletionRequest(
            String model,

            @Schema(description = "Whoever asks; an alias with several targets gives the same user the same one")
            String user,

            @Schema(
                    required = true,
                    examples = "The capital of France is",
                    description = "A string, an array of strings, of token ids, or of arrays of token ids")
            String prompt,

            @Schema(type = SchemaType.ARRAY, implementation = Weighted.class)
            List<Weighted> adapters,

            XLora xlora,

            @Schema(
                    name = "adapter_scalings",
                    defaultValue = "none",
                    enumeration = {"none", "summary", "full"},
                    description = "What the adapters of an X-LoRA counted, in the choice: their means, or all of it")
            String adapterScalings,

            boolean stream,

            @Schema(name = "max_tokens", defaultValue = "16")
            int maxTokens,

            @Schema(defaultValue = "1") double temperature,
            boolean echo,

            @Schema(description = "Log-probabilities of this many likeliest tokens; -1 = all, where allowed")
            int logprobs,

            @Schema(name = "prompt_logprobs") int promptLogprobs,
            @Schema(name = "return_token_ids") boolean returnTokenIds) {}

    @Schema(name = "TokenizeRequest", description = "A prompt, or messages")
    record TokenizeRequest(
            String model,
            @Schema(examples = "Hello world") String prompt,
            List<Message> messages,

            @Schema(
                    name = "add_special_tokens",
                    description = "What the model expects around a text, such as BOS; default: true for a prompt, false"
                            + " for messages, whose template writes it")
            boolean addSpecialTokens,

            @Schema(name = "add_generation_prompt", defaultValue = "true")
            boolean addGenerationPrompt,

            @Schema(name = "return_token_strs", defaultValue = "false")
            boolean returnTokenStrings) {}

    @Schema(name = "DetokenizeRequest")
    record DetokenizeRequest(
            String model,
            @Schema(required = true, examples = "[1, 2]") List<Integer> tokens) {}

    @Schema(name = "TemplateRequest")
    record TemplateRequest(
            String model,
            @Schema(required = true) List<Message> messages,

            @Schema(name = "add_generation_prompt", defaultValue = "true")
            boolean addGenerationPrompt) {}

    @Schema(name = "Choice", description = "message for a chat, text for a completion")
    record AnswerChoice(
            int index,
            Message message,
            String text,
            @Schema(name = "finish_reason") String finishReason) {}

    @Schema(name = "Usage")
    record Usage(
            @Schema(name = "prompt_tokens") int promptTokens,
            @Schema(name = "completion_tokens") int completionTokens,
            @Schema(name = "total_tokens") int totalTokens) {}

    @Schema(name = "Completion", description = "The answer; a stream sends it in pieces and ends with [DONE]")
    record Answer(String id, String object, long created, String model, List<AnswerChoice> choices, Usage usage) {}

    @Schema(name = "ErrorBody")
    record ErrorBody(
            String message,
            String type,
            @Schema(nullable = true) String param,
            String code) {}

    @Schema(name = "OpenAiError", description = "An error as the OpenAI API has it")
    record Error(ErrorBody error) {}
}
