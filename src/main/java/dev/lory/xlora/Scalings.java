package dev.lory.xlora;

/** From the classifier's output for a token to what each adapter counts at each site. */
final class Scalings {
    private Scalings() {}

    /**
     * As the classifier says, before top-k; in place.
     *
     * @param z {@code [sites, adapters]}, or {@code [1, adapters]} for all sites
     */
    static void predict(float[] z, int adapters, XLoraSettings settings) {
        for (int from = 0; settings.softmax() && from < z.length; from += adapters) {
            softmax(z, from, adapters, settings.temperature());
        }
    }

    /** As the layers use them: the largest of each site, the others 0, not normalised again unless the softmax is over those; in place. */
    static void choose(float[] z, int adapters, XLoraSettings settings) {
        for (int from = 0; from < z.length; from += adapters) {
            if (settings.topK() > 0) {
                keepLargest(z, from, adapters, settings.topK());
            }
            if (settings.softmaxTopK()) {
                softmaxOfOthersThanZero(z, from, adapters);
            }
        }
    }

    private static void softmax(float[] z, int from, int count, double temperature) {
        float max = Float.NEGATIVE_INFINITY;
        for (int i = from; i < from + count; i++) {
            max = Math.max(max, z[i]);
        }
        double sum = 0;
        for (int i = from; i < from + count; i++) {
            z[i] = (float) Math.exp(((double) z[i] - max) / temperature);
            sum += z[i];
        }
        for (int i = from; i < from + count; i++) {
            z[i] = (float) (z[i] / sum);
        }
    }

    /** Of equal ones the first stay. */
    private static void keepLargest(float[] z, int from, int count, int kept) {
        boolean[] stays = new boolean[count];
        for (int k = 0; k < Math.min(kept, count); k++) {
            int best = -1;
            for (int i = 0; i < count; i++) {
                if (!stays[i] && (best < 0 || z[from + i] > z[from + best])) {
                    best = i;
                }
            }
            stays[best] = true;
        }
        for (int i = 0; i < count; i++) {
            z[from + i] = stays[i] ? z[from + i] : 0;
        }
    }

    private static void softmaxOfOthersThanZero(float[] z, int from, int count) {
        double max = Double.NEGATIVE_INFINITY;
        double sum = 0;
        for (int i = from; i < from + count; i++) {
            max = z[i] == 0 ? max : Math.max(max, z[i]);
        }
        for (int i = from; i < from + count; i++) {
            sum += z[i] == 0 ? 0 : Math.exp(z[i] - max);
        }
        for (int i = from; i < from + count; i++) {
            z[i] = z[i] == 0 ? 0 : (float) (Math.exp(z[i] - max) / sum);
        }
    }
}
