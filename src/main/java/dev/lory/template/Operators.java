package dev.lory.template;

import dev.lory.template.Expression.Operator;
import dev.lory.template.Expression.Relation;
import dev.lory.template.Value.Bool;
import dev.lory.template.Value.Int;
import dev.lory.template.Value.Native;
import dev.lory.template.Value.None;
import dev.lory.template.Value.Real;
import dev.lory.template.Value.Stream;
import dev.lory.template.Value.Text;
import dev.lory.template.Value.Undefined;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;

/** Arithmetic and comparison with Python's rules and messages. */
final class Operators {
    private static final int MAX_INTEGER_BITS = 8192;

    private final Budget budget;
    private final PythonText text;

    Operators(Budget budget, PythonText text) {
        this.budget = budget;
        this.text = text;
    }

    Value apply(Operator operator, Value a, Value b) {
        if (operator == Operator.MODULO && a instanceof Text format) {
            return new Text(new PercentFormat(budget, text).format(format.value(), b));
        }
        defined(a);
        defined(b);
        if (isNumber(a) && isNumber(b)) {
            return isReal(a) || isReal(b)
                    ? real(operator, real(a), real(b))
                    : integer(operator, integer(a), integer(b));
        }
        return switch (operator) {
            case ADD -> added(a, b);
            case MULTIPLY -> repeated(a, b);
            case SUBTRACT, DIVIDE, FLOOR_DIVIDE, MODULO, POWER -> throw unsupported(operator, a, b);
        };
    }

    private static TemplateFault unsupported(Operator operator, Value a, Value b) {
        String symbol = operator == Operator.POWER ? "** or pow()" : operator.symbol();
        return new TemplateFault(
                "unsupported operand type(s) for " + symbol + ": '" + a.type() + "' and '" + b.type() + "'");
    }

    private Value added(Value a, Value b) {
        if (a instanceof Text x && b instanceof Text y) {
            budget.text((long) x.value().length() + y.value().length());
            return new Text(x.value() + y.value());
        }
        if (a instanceof Items x && b instanceof Items y && x.kind() == y.kind() && joins(x.kind())) {
            budget.items((long) x.list().size() + y.list().size());
            List<Value> both = new ArrayList<>(x.list());
            both.addAll(y.list());
            return new Items(x.kind(), both);
        }
        if (a instanceof Text || a instanceof Items x && joins(x.kind())) {
            throw new TemplateFault("can only concatenate " + a.type() + " (not \"" + b.type() + "\") to " + a.type());
        }
        throw unsupported(Operator.ADD, a, b);
    }

    private static boolean joins(Items.Kind kind) {
        return kind == Items.Kind.LIST || kind == Items.Kind.TUPLE;
    }

    private Value repeated(Value a, Value b) {
        boolean firstRepeats = a instanceof Text || a instanceof Items;
        Value many = firstRepeats ? a : b;
        Value count = firstRepeats ? b : a;
        boolean repeatable = many instanceof Text || many instanceof Items items && joins(items.kind());
        if (!repeatable) {
            throw unsupported(Operator.MULTIPLY, a, b);
        }
        if (!isNumber(count) || isReal(count)) {
            throw new TemplateFault("can't multiply sequence by non-int of type '" + count.type() + "'");
        }
        long times = Math.max(0, index(count));
        if (many instanceof Text t) {
            budget.text(t.value().length() * times);
            return new Text(t.value().repeat((int) times));
        }
        Items items = (Items) many;
        budget.items(items.list().size() * times);
        List<Value> out = new ArrayList<>();
        for (long i = 0; i < times && !items.list().isEmpty(); i++) {
            out.addAll(items.list());
        }
        return new Items(items.kind(), out);
    }

    private Value integer(Operator operator, BigInteger a, BigInteger b) {
        boolean divides =
                operator == Operator.DIVIDE || operator == Operator.FLOOR_DIVIDE || operator == Operator.MODULO;
        if (divides && b.signum() == 0) {
            throw new TemplateFault(
                    operator == Operator.DIVIDE ? "division by zero" : "integer division or modulo by zero");
        }
        return switch (operator) {
            case ADD -> bounded(a.add(b));
            case SUBTRACT -> bounded(a.subtract(b));
            case MULTIPLY -> bounded(a.multiply(b));
            case DIVIDE -> new Real(quotient(a, b));
            case FLOOR_DIVIDE -> bounded(floorDivide(a, b));
            case MODULO -> new Int(a.subtract(floorDivide(a, b).multiply(b)));
            case POWER -> power(a, b);
        };
    }

    private static Int bounded(BigInteger value) {
        if (value.bitLength() > MAX_INTEGER_BITS) {
            throw new TemplateFault("an integer of " + value.bitLength() + " bits is too large");
        }
        return new Int(value);
    }

    private static double quotient(BigInteger a, BigInteger b) {
        if (a.bitLength() <= 53 && b.bitLength() <= 53) {
            return a.doubleValue() / b.doubleValue();
        }
        double q = new BigDecimal(a)
                .divide(new BigDecimal(b), new java.math.MathContext(60))
                .doubleValue();
        if (Double.isInfinite(q)) {
            throw new TemplateFault("integer division result too large for a float");
        }
        return q;
    }

    private static BigInteger floorDivide(BigInteger a, BigInteger b) {
        BigInteger[] parts = a.divideAndRemainder(b);
        boolean roundsDown = parts[1].signum() != 0 && parts[1].signum() != b.signum();
        return roundsDown ? parts[0].subtract(BigInteger.ONE) : parts[0];
    }

    private static Value power(BigInteger a, BigInteger b) {
        if (b.signum() < 0) {
            return real(Operator.POWER, a.doubleValue(), b.doubleValue());
        }
        boolean small = a.abs().compareTo(BigInteger.ONE) <= 0;
        if (!small && (b.bitLength() > 31 || b.longValue() * a.bitLength() > MAX_INTEGER_BITS)) {
            throw new TemplateFault("the power is too large");
        }
        return new Int(small ? a.pow(b.signum() == 0 ? 0 : b.testBit(0) ? 1 : 2) : a.pow(b.intValue()));
    }

    private static Value real(Operator operator, double a, double b) {
        boolean divides =
                operator == Operator.DIVIDE || operator == Operator.FLOOR_DIVIDE || operator == Operator.MODULO;
        if (divides && b == 0) {
            throw new TemplateFault(
                    switch (operator) {
                        case FLOOR_DIVIDE -> "float floor division by zero";
                        case MODULO -> "float modulo";
                        case ADD, SUBTRACT, MULTIPLY, DIVIDE, POWER -> "float division by zero";
                    });
        }
        return new Real(
                switch (operator) {
                    case ADD -> a + b;
                    case SUBTRACT -> a - b;
                    case MULTIPLY -> a * b;
                    case DIVIDE -> a / b;
                    case FLOOR_DIVIDE -> floorDivide(a, b);
                    case MODULO -> modulo(a, b);
                    case POWER -> power(a, b);
                });
    }

    private static double floorDivide(double a, double b) {
        double quotient = Math.rint((a - modulo(a, b)) / b);
        return quotient == 0 ? Math.copySign(0, a / b) : quotient;
    }

    private static double modulo(double a, double b) {
        double rest = a % b;
        if (rest != 0 && (rest < 0) != (b < 0)) {
            return rest + b;
        }
        return rest == 0 ? Math.copySign(0, b) : rest;
    }

    private static double power(double a, double b) {
        if (a == 0 && b < 0) {
            throw new TemplateFault("0.0 cannot be raised to a negative power");
        }
        if (a < 0 && b != Math.rint(b)) {
            throw new TemplateFault("a negative number has no real power " + b);
        }
        double result = Math.pow(a, b);
        if (Double.isInfinite(result) && !Double.isInfinite(a) && !Double.isInfinite(b)) {
            throw new TemplateFault("the power is too large");
        }
        return result;
    }

    Value signed(boolean negative, Value v) {
        defined(v);
        if (!isNumber(v)) {
            throw new TemplateFault("bad operand type for unary " + (negative ? "-" : "+") + ": '" + v.type() + "'");
        }
        if (isReal(v)) {
            return new Real(negative ? -real(v) : real(v));
        }
        return new Int(negative ? integer(v).negate() : integer(v));
    }

    boolean holds(Relation relation, Value a, Value b) {
        return switch (relation) {
            case EQUAL -> equal(a, b);
            case NOT_EQUAL -> !equal(a, b);
            case LESS -> compare(a, b, "<") < 0;
            case LESS_OR_EQUAL -> compare(a, b, "<=") <= 0;
            case GREATER -> greater(a, b, ">") > 0;
            case GREATER_OR_EQUAL -> greater(a, b, ">=") >= 0;
            case IN -> contains(b, a);
            case NOT_IN -> !contains(b, a);
        };
    }

    /** NaN is neither greater nor equal, whereas {@link #compare} answers 1. */
    private int greater(Value a, Value b, String symbol) {
        return -compare(b, a, a, b, symbol);
    }

    boolean equal(Value a, Value b) {
        budget.spend(1);
        return switch (a) {
            case Undefined u -> b instanceof Undefined;
            case None n -> b == n;
            case Bool x -> isNumber(b) && numbersEqual(x, b);
            case Int x -> isNumber(b) && numbersEqual(x, b);
            case Real x -> isNumber(b) && numbersEqual(x, b);
            case Text t -> {
                budget.spend(t.value().length() / 64);
                yield t.equals(b);
            }
            case Items x -> b instanceof Items y && x.kind() == y.kind() && itemsEqual(x.list(), y.list());
            case Dict x -> b instanceof Dict y && dictsEqual(x, y);
            case Stream s -> s == b;
            case Native n -> n == b;
        };
    }

    private static boolean numbersEqual(Value a, Value b) {
        return isReal(a) || isReal(b) ? exactCompare(a, b) == 0 : integer(a).equals(integer(b));
    }

    private boolean itemsEqual(List<Value> a, List<Value> b) {
        if (a.size() != b.size()) {
            return false;
        }
        for (int i = 0; i < a.size(); i++) {
            if (!equal(a.get(i), b.get(i))) {
                return false;
            }
        }
        return true;
    }

    private boolean dictsEqual(Dict a, Dict b) {
        if (a.size() != b.size()) {
            return false;
        }
        for (Value key : a.keys()) {
            boolean same =
                    a.get(key).flatMap(x -> b.get(key).map(y -> equal(x, y))).orElse(false);
            if (!same) {
                return false;
            }
        }
        return true;
    }

    /** Negative, zero or positive; of things that have no order, the fault that Python raises for the symbol. */
    int compare(Value a, Value b, String symbol) {
        return compare(a, b, a, b, symbol);
    }

    private int compare(Value a, Value b, Value left, Value right, String symbol) {
        budget.spend(1);
        defined(left);
        defined(right);
        if (isNumber(a) && isNumber(b)) {
            return exactCompare(a, b);
        }
        if (a instanceof Text x && b instanceof Text y) {
            budget.read(x);
            return compareCodePoints(x.value(), y.value());
        }
        if (a instanceof Items x && b instanceof Items y && x.kind() == y.kind() && joins(x.kind())) {
            int common = Math.min(x.list().size(), y.list().size());
            for (int i = 0; i < common; i++) {
                if (!equal(x.list().get(i), y.list().get(i))) {
                    return compare(x.list().get(i), y.list().get(i), symbol);
                }
            }
            return Integer.compare(x.list().size(), y.list().size());
        }
        throw new TemplateFault(
                "'" + symbol + "' not supported between instances of '" + left.type() + "' and '" + right.type() + "'");
    }

    /** Exact between integers and floats; 1 when one is not a number. */
    private static int exactCompare(Value a, Value b) {
        if (!isReal(a) && !isReal(b)) {
            return integer(a).compareTo(integer(b));
        }
        double x = real(a);
        double y = real(b);
        if (Double.isNaN(x) || Double.isNaN(y)) {
            return 1;
        }
        if (isReal(a) && isReal(b) || Double.isInfinite(x) || Double.isInfinite(y)) {
            return x == y ? 0 : x < y ? -1 : 1;
        }
        return decimal(a).compareTo(decimal(b));
    }

    private static BigDecimal decimal(Value v) {
        return isReal(v) ? new BigDecimal(real(v)) : new BigDecimal(integer(v));
    }

    private static int compareCodePoints(String a, String b) {
        int common = Math.min(a.length(), b.length());
        for (int i = 0; i < common; i++) {
            char x = a.charAt(i);
            char y = b.charAt(i);
            if (x != y) {
                boolean bothOrNeither = Character.isSurrogate(x) == Character.isSurrogate(y);
                return bothOrNeither ? Character.compare(x, y) : Character.isSurrogate(x) ? 1 : -1;
            }
        }
        return Integer.compare(a.length(), b.length());
    }

    boolean contains(Value container, Value value) {
        return switch (container) {
            case Text t -> {
                if (!(value instanceof Text part)) {
                    throw new TemplateFault("'in <string>' requires string as left operand, not " + value.type());
                }
                budget.read(t);
                budget.read(part);
                yield Search.first(t.value(), part.value(), 0) >= 0;
            }
            case Dict d -> d.get(value).isPresent();
            case Items items -> anyEqual(items.list().iterator(), value);
            case Stream s -> anyEqual(s.items(), value);
            case Undefined u -> false;
            case None n -> throw notIterable(n);
            case Bool b -> throw notIterable(b);
            case Int i -> throw notIterable(i);
            case Real r -> throw notIterable(r);
            case Native n -> throw notIterable(n);
        };
    }

    private static TemplateFault notIterable(Value v) {
        return new TemplateFault("argument of type '" + v.type() + "' is not iterable");
    }

    private boolean anyEqual(Iterator<Value> items, Value value) {
        while (items.hasNext()) {
            if (equal(items.next(), value)) {
                return true;
            }
        }
        return false;
    }

    static Value defined(Value v) {
        if (v instanceof Undefined u) {
            throw new TemplateFault(u.message());
        }
        return v;
    }

    static boolean isNumber(Value v) {
        return v instanceof Int || v instanceof Real || v instanceof Bool;
    }

    static boolean isReal(Value v) {
        return v instanceof Real;
    }

    /** Of an {@link Int} or {@link Bool}. */
    static BigInteger integer(Value v) {
        return v instanceof Int i ? i.value() : v == Bool.TRUE ? BigInteger.ONE : BigInteger.ZERO;
    }

    static double real(Value v) {
        return v instanceof Real r ? r.value() : integer(v).doubleValue();
    }

    /** A whole number as an int; what does not fit becomes the nearest int. */
    static int index(Value v) {
        defined(v);
        if (!isNumber(v) || isReal(v)) {
            throw new TemplateFault("'" + v.type() + "' object cannot be interpreted as an integer");
        }
        BigInteger value = integer(v);
        return value.bitLength() > 31 ? value.signum() < 0 ? Integer.MIN_VALUE : Integer.MAX_VALUE : value.intValue();
    }
}
