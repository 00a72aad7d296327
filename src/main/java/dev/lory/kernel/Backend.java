package dev.lory.kernel;

import dev.lory.tensor.DType;
import dev.lory.tensor.Tensor;

/**
 * The operations a device must provide. Activations are F32 matrices {@code [rows, features]}, one row per token of the step;
 * outputs are passed in and nothing is allocated once everything is loaded. One thread calls, but loads may come from any; an operation may return before it is
 * done, but the next one sees its result, and {@link #download} waits.
 *
 * <p>A type without a kernel is an error ({@code UNSUPPORTED_DTYPE}) at load, never a silent fallback. Each result depends
 * on its own row only, to the last bit: what shares the step with a sequence cannot change its tokens.
 */
public interface Backend extends AutoCloseable {
    /** Device, kernels and threads in a few words, for the log. */
    String description();

    /** Bytes of this device's memory that can be taken now: for a plan before anything is loaded. */
    long freeBytes();

    /** Measures what this device does at most; takes a second or two, and memory beyond every cache. */
    Peak peak();

    /** Bytes that {@link #load} takes for a weight {@code [rows, cols]} of that type. */
    long weightBytes(DType dtype, int rows, int cols);

    /** Bytes of {@link #allocateKv} for one block of all layers. */
    long kvBlockBytes(int layers, int blockSize, int width);

    /** Copies a weight {@code [out, in]} of any type into the layout of this device; the source may be closed afterwards. */
    Weight load(Tensor weight);

    /**
     * Copies the factors of a low-rank update {@code y += scale · B·(A·x)} to this device.
     *
     * @param a {@code [rank, in]}, F32, F16 or BF16
     * @param b {@code [out, rank]}, same types
     * @param scale multiplies the product, as in PEFT: folded into B it would round 16-bit factors
     */
    LoraFactors loadLora(Tensor a, Tensor b, float scale);

    /**
     * Copies a weight-decomposed update {@code y = gain · (y + scale · B·(A·x))} to this device (DoRA, arXiv:2402.09353): factors as in
     * {@link #loadLora}. Where several adapters change a row, each acts on what the ones before it left.
     *
     * @param gain {@code [1, out]}: magnitude by norm
     */
    LoraFactors loadDora(Tensor a, Tensor b, float scale, Tensor gain);

    /**
     * Copies a weight that stands in for the base's, {@code y = W·x}, whatever the weight of the adapter is.
     *
     * @param weight {@code [out, in]}, F32, F16 or BF16
     */
    LoraFactors loadReplacement(Tensor weight);

    /** Copies a row of a loaded weight to the heap, as floats. Any thread may call. */
    void decodeRow(Weight weight, int row, float[] out);

    /** Copies a matrix of any type to this device as F32: norm weights, rotary tables. */
    Tensor upload(Tensor host);

    /** An F32 matrix for activations; it lives as long as this backend. */
    Tensor allocate(int rows, int cols);

    /**
     * Room for keys and values.
     *
     * @param width {@code kv_heads · head_dim}
     */
    KvCache allocateKv(int layers, int blocks, int blockSize, int width);

    /** {@code y[r] = table[tokens[r]]} for the rows of the batch. */
    void embed(Weight table, StepBatch batch, Tensor y);

    /**
     * {@code y[row] += weight · scale · B·A[:, token]} for the rows of the batch and their adapters; DoRA's gain as said where it is loaded,
     * and a replacement gives {@code y[row] = W[token]}.
     *
     * @param factors by slot: A {@code [rank, vocab]} and B {@code [hidden, rank]}, or a replacement {@code [vocab, hidden]}; {@link LoraFactors#NONE} where the adapter leaves the embedding alone
     * @param site the embedding's number, for {@link RowGroups#weight(int, int)}
     */
    void embedLora(LoraFactors[] factors, int site, StepBatch batch, Tensor y);

    /** {@code y[i] = x[rows[i]]} for the first {@code y.rows()} entries. */
    void gatherRows(Tensor x, int[] rows, Tensor y);

    /** {@code y = x / sqrt(mean(x²) + eps) · weight}, row by row (arXiv:1910.07467); {@code y} may be {@code x}. */
    void rmsNorm(Tensor x, Tensor weight, float eps, Tensor y);

    /** {@code y = (x - mean(x)) / sqrt(var(x) + eps) · weight + bias}, row by row (arXiv:1607.06450). */
    void layerNorm(Tensor x, Tensor weight, Tensor bias, float eps, Tensor y);

    /** {@code ys[i] = x · weights[i]ᵀ}: linear maps that read the same input. */
    void project(Weight[] weights, Tensor x, Tensor[] ys);

    /**
     * {@code ys[i][row] += weight · scale · B(A·x[row])} for every (row, adapter, weight) of {@code rows}, summed in F32; DoRA's gain and
     * replacements as said where they are loaded.
     *
     * @param factors {@code [output][slot]}; {@link LoraFactors#NONE} where the adapter of that slot leaves the output alone
     * @param sites the number of each output, for {@link RowGroups#weight(int, int)}
     */
    void lora(LoraFactors[][] factors, int[] sites, RowGroups rows, Tensor x, Tensor[] ys);

    /**
     * Rotates each head of {@code x [rows, heads·head_dim]} in place by its row's {@link StepBatch#angle}: element i with
     * element i + half (the layout of transformers; arXiv:2104.09864).
     *
     * @param cos {@code [angles, half]}, as is {@code sin}; the first 2·half elements of a head are rotated
     */
    void rope(Tensor x, int headDim, Tensor cos, Tensor sin, StepBatch batch);

    /** Writes keys and values {@code [rows, width]} to the slots of the batch. */
    void storeKv(Tensor k, Tensor v, KvCache kv, int layer, StepBatch batch);

    /**
     * Causal attention of each query row over its sequence's cached positions 0 to its own (arXiv:1706.03762; heads are grouped over
     * fewer key/value heads as in arXiv:2305.13245).
     *
     * @param q {@code [rows, heads·head_dim]}, as is {@code y}
     */
    void attention(Tensor q, KvCache kv, int layer, AttentionShape shape, StepBatch batch, Tensor y);

    /** {@code y = activation(gate) · up}, element by element; {@code y} may be {@code gate}. */
    void gate(Activation activation, Tensor gate, Tensor up, Tensor y);

    /** {@code y = activation(x)}, element by element; {@code y} may be {@code x}. */
    void activate(Activation activation, Tensor x, Tensor y);

    /** {@code y = 0}. */
    void clear(Tensor y);

    /** {@code y += x}. */
    void add(Tensor x, Tensor y);

    /** {@code y[r] += row[0]} for each row r: a bias. */
    void addRow(Tensor row, Tensor y);

    /** {@code y = factor · y}. */
    void scale(float factor, Tensor y);

    /** {@code y = cap · tanh(y / cap)} (arXiv:2408.00118). */
    void softCap(float cap, Tensor y);

    /**
     * Sends each row to the {@code topK} experts with the largest logits; of equal ones the first. An entry's weight is the softmax over all
     * experts, divided by its sum over the chosen ones (arXiv:2401.04088).
     *
     * @param logits {@code [rows, experts]}
     * @param groups cleared, then filled: one group for each expert that has rows, experts and rows rising
     */
    void route(Tensor logits, int topK, RowGroups groups);

    /** {@code y[i] = x[row]} for entry i of group {@code g}; y has as many rows as the group. */
    void gather(Tensor x, RowGroups groups, int g, Tensor y);

    /** {@code y[row] += weight · x[i]} for entry i of group {@code g}. */
    void scatterAdd(Tensor x, RowGroups groups, int g, Tensor y);

    /** Copies one row from the heap; the next operation sees it, and {@code values} may be changed afterwards. */
    void write(float[] values, Tensor y, int row);

    /** Copies one row to the heap, after everything before it is done. */
    void download(Tensor x, int row, float[] out);

    /** Gives all memory and threads back. */
    @Override
    void close();
}
