package dev.lory.kernel;

/** The two factors of a low-rank update of one linear, in the layout of the backend that loaded them (arXiv:2106.09685). */
public interface LoraFactors extends AutoCloseable {
    int rank();

    /** Bytes they take on the device. */
    long bytes();

    /** Gives the memory back; no step that uses them may be under way. */
    @Override
    void close();
}
