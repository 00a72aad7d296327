package dev.lory.template;

import dev.lory.error.ErrorCode;
import dev.lory.error.ServiceException;
import java.util.List;

/**
 * A chat template as models bring it: Jinja2 (3.1) as transformers sets it up, that is sandboxed, with {@code trim_blocks},
 * {@code lstrip_blocks}, loop controls, {@code generation}, {@code raise_exception}, {@code strftime_now} and a {@code tojson} that does
 * not escape. What is not understood is an error, never silently something else. Immutable; many threads may render at once.
 */
public final class ChatTemplate {
    /** Longest template taken, in characters; the longest known are below 100 000. */
    private static final int MAX_SOURCE = 4_000_000;

    private final List<Statement> statements;

    private ChatTemplate(List<Statement> statements) {
        this.statements = statements;
    }

    /** @throws ServiceException INVALID_TEMPLATE with the line, what was found there and what was wanted */
    public static ChatTemplate parse(String source) {
        if (source.length() > MAX_SOURCE) {
            throw new ServiceException(
                    ErrorCode.INVALID_TEMPLATE,
                    "the chat template has " + source.length() + " characters, at most " + MAX_SOURCE + " are taken");
        }
        try {
            return new ChatTemplate(Parser.parse(source));
        } catch (TemplateSyntaxFault e) {
            throw new ServiceException(ErrorCode.INVALID_TEMPLATE, "chat template, line " + e.line() + ": " + e.text());
        }
    }

    /**
     * The prompt.
     *
     * @throws ServiceException INVALID_TEMPLATE when the template refuses the messages ({@code raise_exception}: its own words), cannot
     *     handle them (with the line), or would take too many steps, too much text or too deep a recursion
     */
    public String render(ChatInput input) {
        Budget budget = new Budget();
        Evaluator evaluator = new Evaluator(budget);
        Interpreter interpreter = new Interpreter(evaluator);
        try {
            Scope scope = scope(input, budget, evaluator);
            return interpreter.render(statements, scope);
        } catch (StackOverflowError e) {
            // The budget leaves room, but not for the JVM's own work when code runs for the first time this deep.
            throw new ServiceException(
                    ErrorCode.INVALID_TEMPLATE,
                    "chat template, line " + interpreter.line() + ": nests or recurses too deeply");
        } catch (TemplateFault e) {
            String where = interpreter.line() == 0 ? "" : ", line " + interpreter.line();
            throw new ServiceException(ErrorCode.INVALID_TEMPLATE, "chat template" + where + ": " + e.text());
        }
    }

    private static Scope scope(ChatInput input, Budget budget, Evaluator evaluator) {
        Scope scope = Globals.scope(evaluator, input.clock()).inner();
        JsonValues values = new JsonValues();
        scope.set("documents", Value.None.NONE);
        input.specialTokens().forEach((name, token) -> scope.set(name, values.read(token)));
        values.define(input.variables(), scope);
        scope.set("messages", values.read(input.messages()));
        scope.set("tools", input.tools().isEmpty() ? Value.None.NONE : values.read(input.tools()));
        scope.set("add_generation_prompt", Value.Bool.of(input.addGenerationPrompt()));
        budget.allowFor(values.size());
        return scope;
    }
}
