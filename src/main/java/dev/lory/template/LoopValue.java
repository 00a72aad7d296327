package dev.lory.template;

import dev.lory.template.Value.Bool;
import dev.lory.template.Value.Int;
import dev.lory.template.Value.Undefined;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.function.UnaryOperator;

/** The {@code loop} of a loop: where it is. Looks ahead only as far as the template asks. */
final class LoopValue implements Value.Native, Iterator<Value> {
    private final Evaluator evaluator;
    private final Iterator<Value> items;
    private final int depth;
    private final UnaryOperator<Value> recursion;
    private final Deque<Value> ahead = new ArrayDeque<>();
    private Value previous = new Undefined("there is no previous item");
    private Value current = previous;
    private Value lastChecked = previous;
    private boolean checked;
    private int index;

    /** @param recursion renders the loop's body over other items */
    LoopValue(Evaluator evaluator, Iterator<Value> items, int depth, UnaryOperator<Value> recursion) {
        this.evaluator = evaluator;
        this.items = items;
        this.depth = depth;
        this.recursion = recursion;
    }

    @Override
    public boolean hasNext() {
        return !ahead.isEmpty() || items.hasNext();
    }

    @Override
    public Value next() {
        index++;
        previous = current;
        current = ahead.isEmpty() ? items.next() : ahead.remove();
        return current;
    }

    private Value following() {
        if (ahead.isEmpty() && items.hasNext()) {
            ahead.add(items.next());
        }
        return ahead.isEmpty() ? new Undefined("there is no next item") : ahead.getFirst();
    }

    private int length() {
        while (items.hasNext()) {
            ahead.add(items.next());
            evaluator.budget().items(1);
        }
        return index + ahead.size();
    }

    @Override
    public String typeName() {
        return "jinja2.runtime.LoopContext";
    }

    @Override
    public boolean callable() {
        return true;
    }

    @Override
    public Value call(Arguments arguments) {
        evaluator.budget().enter();
        Value result = recursion.apply(arguments.bind("loop", "iterable").required("iterable"));
        evaluator.budget().leave();
        return result;
    }

    @Override
    public Optional<Value> attribute(String name) {
        return Optional.ofNullable(
                switch (name) {
                    case "index" -> Int.of(index);
                    case "index0" -> Int.of(index - 1L);
                    case "revindex" -> Int.of(length() - index + 1L);
                    case "revindex0" -> Int.of((long) length() - index);
                    case "first" -> Bool.of(index == 1);
                    case "last" -> Bool.of(!hasNext());
                    case "length" -> Int.of(length());
                    case "depth" -> Int.of(depth + 1L);
                    case "depth0" -> Int.of(depth);
                    case "previtem" -> previous;
                    case "nextitem" -> following();
                    case "cycle" -> new Function("loop.cycle", this::cycled);
                    case "changed" -> new Function("loop.changed", this::changed);
                    default -> null;
                });
    }

    private Value cycled(Arguments arguments) {
        if (arguments.positional().isEmpty()) {
            throw new TemplateFault("no items for cycling given");
        }
        return arguments.positional().get((index - 1) % arguments.positional().size());
    }

    private Value changed(Arguments arguments) {
        List<Value> values = new ArrayList<>(arguments.positional());
        Value now = new Items(Items.Kind.TUPLE, values);
        boolean same = checked && evaluator.operators().equal(lastChecked, now);
        lastChecked = now;
        checked = true;
        return Bool.of(!same);
    }
}
