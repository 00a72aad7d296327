package dev.lory.kernel;

/**
 * What an adapter changes in one linear or in the embedding, in the layout of the backend that loaded it: as a rule the two factors of a
 * low-rank update (arXiv:2106.09685).
 */
public interface LoraFactors extends AutoCloseable {
    /** Stands where an adapter leaves a linear alone. */
    LoraFactors NONE = new LoraFactors() {
        @Override
        public int rank() {
            return 0;
        }

        @Override
        public long bytes() {
            return 0;
        }

        @Override
        public void close() {
            // nothing to give back
        }
    };

    /** Of the update; 0 if there is no low-rank one. */
    int rank();

    /** Bytes they take on the device. */
    long bytes();

    /** Gives the memory back; no step that uses them may be under way. */
    @Override
    void close();
}
