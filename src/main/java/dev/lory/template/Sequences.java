package dev.lory.template;

import dev.lory.template.Value.Bool;
import dev.lory.template.Value.Int;
import dev.lory.template.Value.Native;
import dev.lory.template.Value.None;
import dev.lory.template.Value.Real;
import dev.lory.template.Value.Stream;
import dev.lory.template.Value.Text;
import dev.lory.template.Value.Undefined;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Items and slices of lists and texts; texts count in code points. */
final class Sequences {
    private Sequences() {}

    /** {@code value[key]} where Python finds something. */
    static Optional<Value> item(Value value, Value key) {
        return switch (value) {
            case Dict dict -> hashable(key) ? dict.get(key) : Optional.empty();
            case Items items ->
                items.kind().indexed() ? position(key, items.list().size()).map(items.list()::get) : Optional.empty();
            case Text t -> position(key, Strings.length(t.value())).map(i -> character(t.value(), i));
            case Undefined u -> throw new TemplateFault(u.message());
            case None n -> Optional.empty();
            case Bool b -> Optional.empty();
            case Int i -> Optional.empty();
            case Real r -> Optional.empty();
            case Stream s -> Optional.empty();
            case Native n -> Optional.empty();
        };
    }

    private static boolean hashable(Value key) {
        return !(key instanceof Dict)
                && !(key instanceof Items items
                        && (items.kind() != Items.Kind.TUPLE
                                || !items.list().stream().allMatch(Sequences::hashable)));
    }

    private static Optional<Integer> position(Value key, int length) {
        if (!Operators.isNumber(key) || Operators.isReal(key)) {
            return Optional.empty();
        }
        long index = Operators.index(key);
        long at = index < 0 ? index + length : index;
        return at < 0 || at >= length ? Optional.empty() : Optional.of((int) at);
    }

    private static Value character(String s, int index) {
        return new Text(Character.toString(s.codePointAt(Strings.offset(s, index))));
    }

    static Value slice(Evaluator evaluator, Value value, Value start, Value stop, Value step) {
        Operators.defined(value);
        if (value instanceof Text t) {
            evaluator.budget().read(value);
            int[] points = t.value().codePoints().toArray();
            evaluator.budget().text(points.length);
            StringBuilder out = new StringBuilder();
            for (int i : indices(points.length, start, stop, step)) {
                out.appendCodePoint(points[i]);
            }
            return new Text(out.toString());
        }
        if (value instanceof Items items && items.kind().indexed()) {
            List<Integer> indices = indices(items.list().size(), start, stop, step);
            evaluator.budget().items(indices.size());
            List<Value> out = new ArrayList<>(indices.size());
            indices.forEach(i -> out.add(items.list().get(i)));
            return new Items(items.kind(), out);
        }
        throw new TemplateFault(
                value instanceof Dict
                        ? "unhashable type: 'slice'"
                        : "'" + value.type() + "' object is not subscriptable");
    }

    /** Which indices Python's {@code [start:stop:step]} takes of a sequence of that length. */
    private static List<Integer> indices(int length, Value start, Value stop, Value step) {
        long by = step == None.NONE ? 1 : bound(step);
        if (by == 0) {
            throw new TemplateFault("slice step cannot be zero");
        }
        long first = by > 0 ? 0 : length - 1L;
        long last = by > 0 ? length : -1;
        long from = start == None.NONE ? first : clamped(bound(start), length, by);
        long to = stop == None.NONE ? last : clamped(bound(stop), length, by);
        List<Integer> indices = new ArrayList<>();
        for (long i = from; by > 0 ? i < to : i > to; i += by) {
            indices.add((int) i);
        }
        return indices;
    }

    private static long bound(Value value) {
        Operators.defined(value);
        if (!Operators.isNumber(value) || Operators.isReal(value)) {
            throw new TemplateFault("slice indices must be integers or None or have an __index__ method");
        }
        return Operators.index(value);
    }

    private static long clamped(long index, int length, long step) {
        long at = index < 0 ? index + length : index;
        return step > 0 ? Math.clamp(at, 0, length) : Math.clamp(at, -1, length - 1);
    }
}
