package dev.lory.template;

import dev.lory.template.Value.Stream;
import java.util.Iterator;
import java.util.NoSuchElementException;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/** Items computed one at a time; streams over streams count as nesting. */
final class Streams {
    /** What the methods between one stream and the next take of the stack, in expressions. */
    private static final int LEVELS = 4;

    private Streams() {}

    static Iterator<Value> filtered(Evaluator evaluator, Iterator<Value> items, Predicate<Value> wanted) {
        return new Filtered(evaluator.budget(), items, wanted);
    }

    static Stream mapped(Evaluator evaluator, Iterator<Value> items, UnaryOperator<Value> each) {
        Budget budget = evaluator.budget();
        return new Stream(new Iterator<>() {
            @Override
            public boolean hasNext() {
                budget.enter(LEVELS);
                boolean more = items.hasNext();
                budget.leave(LEVELS);
                return more;
            }

            @Override
            public Value next() {
                budget.spend(1);
                budget.enter(LEVELS);
                Value value = each.apply(items.next());
                budget.leave(LEVELS);
                return value;
            }
        });
    }

    private static final class Filtered implements Iterator<Value> {
        private final Budget budget;
        private final Iterator<Value> items;
        private final Predicate<Value> wanted;
        private @Nullable Value next;

        Filtered(Budget budget, Iterator<Value> items, Predicate<Value> wanted) {
            this.budget = budget;
            this.items = items;
            this.wanted = wanted;
        }

        @Override
        public boolean hasNext() {
            budget.enter(LEVELS);
            while (next == null && items.hasNext()) {
                budget.spend(1);
                Value candidate = items.next();
                if (wanted.test(candidate)) {
                    next = candidate;
                }
            }
            budget.leave(LEVELS);
            return next != null;
        }

        @Override
        public Value next() {
            if (!hasNext() || next == null) {
                throw new NoSuchElementException();
            }
            Value value = next;
            next = null;
            return value;
        }
    }
}
