package dev.lory.model;

import java.util.List;

/**
 * How rotary frequencies are changed for texts longer than the model was first trained on. Computed in F32 step by step, as
 * transformers does in {@code modeling_rope_utils}: at far positions the last bit of a frequency shows.
 */
public sealed interface RopeScaling {
    /**
     * @param dims rotated elements of a head
     * @param theta base of the frequencies
     * @param rotation as {@link #rotation} gave it
     * @return {@code dims / 2} frequencies in radians per position
     */
    float[] frequencies(int dims, double theta, int rotation);

    /** What cosines and sines are multiplied with. */
    default float magnitude() {
        return 1;
    }

    /** Which frequencies a sequence of that many tokens is computed with; keys and values of two rotations never meet. */
    default int rotation(int length) {
        return 0;
    }

    /** Rotations 0 to this − 1 are worth a table; others are computed when needed. */
    default int tables() {
        return 1;
    }

    /** Whether there are rotations beyond {@link #tables()}. */
    default boolean isOpenEnded() {
        return false;
    }

    /** Unchanged: {@code theta^(-2i / dims)} (arXiv:2104.09864). */
    record None() implements RopeScaling {
        @Override
        public float[] frequencies(int dims, double theta, int rotation) {
            float[] frequencies = new float[dims / 2];
            for (int i = 0; i < frequencies.length; i++) {
                frequencies[i] = 1 / power(theta, i, dims);
            }
            return frequencies;
        }
    }

    /** Positions closer together (arXiv:2306.15595). */
    record Linear(float factor) implements RopeScaling {
        @Override
        public float[] frequencies(int dims, double theta, int rotation) {
            float[] frequencies = new None().frequencies(dims, theta, 0);
            for (int i = 0; i < frequencies.length; i++) {
                frequencies[i] /= factor;
            }
            return frequencies;
        }
    }

    /**
     * A base that grows with the sequence: beyond {@code original} tokens every further token changes all angles, so the whole sequence
     * is computed again for each.
     */
    record Dynamic(double factor, int original) implements RopeScaling {
        @Override
        public float[] frequencies(int dims, double theta, int rotation) {
            double stretch = factor * Math.max(rotation, original) / original - (factor - 1);
            return new None().frequencies(dims, theta * Math.pow(stretch, (double) dims / (dims - 2)), 0);
        }

        @Override
        public int rotation(int length) {
            return length > original ? length : 0;
        }

        @Override
        public boolean isOpenEnded() {
            return true;
        }
    }

    /** Slow waves slower by {@code factor}, fast ones as they were, a ramp between (arXiv:2407.21783). */
    record Llama3(float factor, float lowFrequency, float highFrequency, int original) implements RopeScaling {
        @Override
        public float[] frequencies(int dims, double theta, int rotation) {
            float[] frequencies = new None().frequencies(dims, theta, 0);
            for (int i = 0; i < frequencies.length; i++) {
                float wave = (float) (2 * Math.PI) / frequencies[i];
                if (wave > original / lowFrequency) {
                    frequencies[i] /= factor;
                } else if (wave >= original / highFrequency) {
                    float smooth = (original / wave - lowFrequency) / (highFrequency - lowFrequency);
                    frequencies[i] = (1 - smooth) * frequencies[i] / factor + smooth * frequencies[i];
                }
            }
            return frequencies;
        }
    }

    /**
     * Slow waves slower by {@code factor}, a ramp between given numbers of turns (arXiv:2309.00071).
     *
     * @param fastTurns waves with more turns over {@code original} tokens stay: {@code beta_fast}
     * @param slowTurns waves with fewer are slowed down whole: {@code beta_slow}
     * @param truncate whether the ends of the ramp are whole numbers
     */
    record Yarn(float factor, int original, float magnitude, double fastTurns, double slowTurns, boolean truncate)
            implements RopeScaling {
        @Override
        public float[] frequencies(int dims, double theta, int rotation) {
            double low = index(fastTurns, dims, theta);
            double high = index(slowTurns, dims, theta);
            float from = (float) Math.max(truncate ? Math.floor(low) : low, 0);
            double last = Math.min(truncate ? Math.ceil(high) : high, dims - 1);
            float width = (float) (last == from ? 0.001 : last - from);
            float[] frequencies = new float[dims / 2];
            for (int i = 0; i < frequencies.length; i++) {
                float power = power(theta, i, dims);
                float kept = 1 - Math.clamp((i - from) / width, 0f, 1f);
                frequencies[i] = 1 / (factor * power) * (1 - kept) + 1 / power * kept;
            }
            return frequencies;
        }

        /** The frequency, by a fractional index, that makes so many turns over the original length. */
        private double index(double turns, int dims, double theta) {
            return dims * Math.log(original / (turns * 2 * Math.PI)) / (2 * Math.log(theta));
        }
    }

    /**
     * A factor for each frequency, one list up to {@code original} tokens, another beyond (arXiv:2402.13753): a sequence that gets
     * longer than that is computed again.
     */
    record LongRope(List<Float> shortFactors, List<Float> longFactors, int original, float magnitude)
            implements RopeScaling {
        public LongRope {
            shortFactors = List.copyOf(shortFactors);
            longFactors = List.copyOf(longFactors);
        }

        @Override
        public float[] frequencies(int dims, double theta, int rotation) {
            List<Float> factors = rotation == 0 ? shortFactors : longFactors;
            float[] frequencies = new float[dims / 2];
            for (int i = 0; i < frequencies.length; i++) {
                frequencies[i] = 1 / (factors.get(i) * power(theta, i, dims));
            }
            return frequencies;
        }

        @Override
        public int rotation(int length) {
            return length > original ? 1 : 0;
        }

        @Override
        public int tables() {
            return 2;
        }
    }

    private static float power(double theta, int i, int dims) {
        return (float) Math.pow((float) theta, (float) (2 * i) / dims);
    }
}
