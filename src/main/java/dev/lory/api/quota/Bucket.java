package dev.lory.api.quota;

import java.time.Duration;

/**
 * A token bucket: full it holds what a minute allows, and it fills evenly. So in any stretch of {@code s} seconds no more than
 * {@code (1 + s / 60)} times a minute's worth is taken, but for what was taken beyond what was there, which is missing afterwards. Times are those of
 * {@link System#nanoTime}.
 */
final class Bucket {
    private static final double NANOS_OF_A_MINUTE = 60e9;

    private final long perMinute;
    private double level;
    private long filledAt;

    /** @param perMinute 0 = there is always enough */
    Bucket(long perMinute, long now) {
        this.perMinute = perMinute;
        this.level = perMinute;
        this.filledAt = now;
    }

    boolean isLimited() {
        return perMinute > 0;
    }

    long perMinute() {
        return perMinute;
    }

    private void fill(long now) {
        level = Math.min(perMinute, level + (now - filledAt) * (perMinute / NANOS_OF_A_MINUTE));
        filledAt = now;
    }

    /** How long until so much is there; zero if it is. More than {@link #perMinute} never is. */
    Duration until(double amount, long now) {
        fill(now);
        return !isLimited() || level >= amount ? Duration.ZERO : time(amount - level);
    }

    /** How long until it is full. */
    Duration untilFull(long now) {
        return until(perMinute, now);
    }

    private Duration time(double missing) {
        return Duration.ofNanos((long) Math.ceil(missing * NANOS_OF_A_MINUTE / perMinute));
    }

    /** What is there; not less than nothing. */
    long remaining(long now) {
        fill(now);
        return (long) Math.max(0, level);
    }

    /** Takes so much, also if it is not there; less than nothing is given back. */
    void take(double amount, long now) {
        fill(now);
        level = Math.min(perMinute, level - amount);
    }
}
