package dev.lory.template;

/** What one rendering may use: steps, depth and text. A template from a stranger cannot hold a thread or the memory. */
final class Budget {
    /** Steps of a rendering, besides {@link #STEPS_PER_CHARACTER} of its input. A step takes tens of nanoseconds. */
    static final long STEPS = 20_000_000;

    static final long STEPS_PER_CHARACTER = 64;
    /** Characters of any one text, the output included. */
    static final long MAX_TEXT = 16_000_000;
    /** Nested evaluations, recursion of macros included; leaves room on a stack of half a megabyte. */
    static final int MAX_DEPTH = 400;

    private long steps = STEPS;
    private int depth;

    /** The input was found to be that long. */
    void allowFor(long characters) {
        steps += characters * STEPS_PER_CHARACTER;
    }

    void spend(long count) {
        steps -= count;
        if (steps < 0) {
            throw new TemplateFault("the template takes too many steps for these messages");
        }
    }

    /** Before a text of that many characters is made. */
    void text(long characters) {
        if (characters > MAX_TEXT) {
            throw new TemplateFault(
                    "a text of " + characters + " characters is too long; at most " + MAX_TEXT + " are allowed");
        }
        spend(characters / 2);
    }

    /** While a text grows, which is paid for when it is done. */
    void check(long characters) {
        if (characters > MAX_TEXT) {
            text(characters);
        }
    }

    /** Before a text is gone through. */
    void read(Value value) {
        if (value instanceof Value.Text text) {
            spend(text.value().length() / 8);
        }
    }

    /** Before a list of that many items is made. */
    void items(long count) {
        if (count > Items.MAX_WEIGHT) {
            throw new TemplateFault(
                    "a list of " + count + " items is too long; at most " + Items.MAX_WEIGHT + " are allowed");
        }
        spend(count);
    }

    void enter() {
        enter(1);
    }

    /** Something that takes as much of the stack as that many expressions. */
    void enter(int levels) {
        depth += levels;
        if (depth > MAX_DEPTH) {
            throw new TemplateFault("the template nests or recurses deeper than " + MAX_DEPTH);
        }
    }

    void leave() {
        leave(1);
    }

    void leave(int levels) {
        depth -= levels;
    }
}
