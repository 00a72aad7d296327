/*
 * The three kernels that decide the speed of a step. Compiled once per instruction set (see build.sh), so that
 * one library serves machines with and without AVX-512; cpu.c says which set may run.
 *
 * Weights lie in groups of 16 output rows, one row per vector lane, so no sum ever runs across lanes.
 * Every output element is computed by the same operations in the same order for any number of tokens: a tile only
 * decides how many of them share a loaded weight.
 */
#include "lanes.h"

#define JOIN2(a, b) a##_##b
#define JOIN(a, b) JOIN2(a, b)
#define EXPORT(name) __attribute__((visibility("default"))) void JOIN(name, ISA)
/* Unrolled, so that what a tile sums up stays in registers. */
#define EACH(i, n) _Pragma("GCC unroll 24") for (int i = 0; i < (n); i++)

enum form { Q4_0, Q4_1, Q8_0, Q5_1, Q4_K, Q5_K, Q6_K };
enum type { F32, F16, BF16 };

/* Entries of a tile of plain numbers, and its sums. */
#define DENSE_TILE 6
#define TILE_SUMS (DENSE_TILE * DENSE_GROUPS * PARTS)

/* Calls f(T, ...) with T a constant, n or if that is more than `most` an even part of it; T is what is done. */
#define TILE(n, most, T, f, ...)                               \
    const long tiles_##T = ((n) + (most) - 1) / (most);        \
    const int T = (int)(((n) + tiles_##T - 1) / tiles_##T);    \
    switch (T) {                                               \
        case 1: f(1, __VA_ARGS__); break;                      \
        case 2: f(2, __VA_ARGS__); break;                      \
        case 3: f(3, __VA_ARGS__); break;                      \
        case 4: f(4, __VA_ARGS__); break;                      \
        case 5: if ((most) > 4) f(5, __VA_ARGS__); break;      \
        case 6: if ((most) > 4) f(6, __VA_ARGS__); break;      \
        case 7: if ((most) > 6) f(7, __VA_ARGS__); break;      \
        default: if ((most) > 6) f(8, __VA_ARGS__);            \
    }

/* One token is bound by memory: its weights are asked for this many bytes before they are used, past what the processor does by itself. */
#define AHEAD 2048
INLINE void fetch(const void *p) { _mm_prefetch(p, _MM_HINT_T0); }
/* For what is larger than the caches and read once in a step: it should not drive out what is read again, such as adapters and keys. */
INLINE void fetch_once(const void *p) { _mm_prefetch(p, _MM_HINT_NTA); }

/* ---- quantised weights x int8 activations ---- */

struct quant {
    const int8_t *x;     /* [tokens][k] */
    const float *scale;  /* [tokens][k/32] */
    const int32_t *sum;  /* [tokens][k/32][2] sum of x, and of its first 16 */
    const float *scaled; /* [tokens][k/32] scale * sum */
    float *y;            /* [tokens][n] */
    long k, n;
};

/* Form.java says how each lies. Bytes of 32 k of a group, for the K forms an eighth of a block of 256: */
INLINE long block_bytes(const int form) {
    switch (form) {
        case Q4_0: return 288;
        case Q4_1: return 320;
        case Q8_0: return 544;
        case Q5_1: return 576;
        case Q4_K: return 296;
        default: return 552;
    }
}

/* Where the pairs of bytes begin in a block of 256 k: 32 bytes for each 32 k, then the quants of all. */
#define PAIRS_AT 64

INLINE int of_nibbles(const int form) { return form == Q4_0 || form == Q4_1 || form == Q4_K; }
INLINE int has_scales(const int form) { return form == Q4_K || form == Q5_K || form == Q6_K; }
INLINE int has_minima(const int form) { return form == Q4_1 || form == Q5_1 || form == Q4_K || form == Q5_K; }

/* s[t] += line j of a block times x[t]: 64 bytes, of which this part has its lanes' */
INLINE void quant_line(const int T, const int form, const uint8_t *line, const int8_t *const *x, long j, vi *s) {
    const vi q = bytes(line), lo = low(q), hi = high(q);
    EACH(t, T) {
        const int32_t *quads = (const int32_t *)x[t];
        if (of_nibbles(form)) s[t] = dot4(dot4(s[t], lo, ints(quads[j])), hi, ints(quads[j + 4]));
        else if (form == Q8_0) s[t] = dot8(s[t], q, ints(quads[j]));
        else s[t] = form == Q6_K ? dot6(s[t], q, ints(quads[j])) : dot4(s[t], q, ints(quads[j]));
    }
}

/* Lines whose products are summed up in whole numbers: all of the block, unless 16 bits or a scale end before it. */
INLINE int lines_together(const int form) { return of_nibbles(form) || form == Q6_K ? 4 : form == Q8_0 ? 8 : SHORT_LINES; }

/* Such a sum as a float: without the bias and, for the K forms, times its scale. No digit is lost, all stay below 2^24. sum: of x, see above. */
INLINE vf finished(const int form, vi s, const int32_t *sum, const int half, scales scale) {
    switch (form) {
        case Q4_0: return to_float(sub(wide(s), ints(8 * sum[0])));
        case Q8_0: return to_float(BIAS8 ? sub(s, ints(BIAS8 * sum[0])) : s);
        case Q6_K: return scaled(BIAS8 ? sub(s, ints(BIAS8 * (half ? sum[0] - sum[1] : sum[1]))) : s, scale);
        case Q4_K: case Q5_K: return scaled(s, scale);
        default: return to_float(wide(s));
    }
}

/* f[t] = 32 k of a group times x[t], but for the factors d and scale; pairs: the bytes of their scales */
INLINE void quant_sums(const int T, const int form, const uint8_t *quants, vi pairs, const struct quant *a, long t0, long b, vf *f) {
    const int lines = of_nibbles(form) ? 4 : 8, together = lines_together(form);
    const int8_t *x[8];
    EACH(t, T) x[t] = a->x + (t0 + t) * a->k + b * 32;
    EACH(half, lines / together) {
        const int first = half * together;
        vi s[8];
        EACH(t, T) s[t] = ints(0);
        if (T == 1 || !of_nibbles(form)) EACH(j, together) quant_line(T, form, quants + (first + j) * 64, x, first + j, s);
        else /* unrolled, gcc has more products under way than there are registers */
            _Pragma("GCC unroll 1") for (int j = 0; j < together; j++) quant_line(T, form, quants + j * 64, x, j, s);
        const scales scale = to_scales(form == Q6_K && half ? high_byte(pairs) : low_byte(pairs));
        EACH(t, T) {
            const vf sum = finished(form, s[t], a->sum + ((t0 + t) * (a->k / 32) + b) * 2, half, scale);
            f[t] = half ? add(f[t], sum) : sum;
        }
    }
}

/* total[t] += 32 k of a group times x[t]; w: their block, of which they are number i */
INLINE void quant_block(const int T, const int form, const uint8_t *w, const long at, const long i, const struct quant *a, long t0, long b, vf *total) {
    const long blocks = a->k / 32;
    if (T == 1) /* a second part's are there already, which asking again tells at once */
        for (long line = 0; line < block_bytes(form); line += 64) fetch_once(w + i * block_bytes(form) + AHEAD + line);
    const vi pairs = has_scales(form) ? byte_pairs(w + PAIRS_AT + i * 32) : ints(1);
    vf f[8];
    quant_sums(T, form, w + at + i * (of_nibbles(form) ? 256 : 512), pairs, a, t0, b, f);
    const vf d = half(w);
    EACH(t, T) total[t] = fma(f[t], mul(d, splat(a->scale[(t0 + t) * blocks + b])), total[t]);
    if (has_minima(form)) {
        vf m = half(w + 32);
        if (has_scales(form)) m = mul(m, to_float(high_byte(pairs)));
        EACH(t, T) total[t] = fma(m, splat(a->scaled[(t0 + t) * blocks + b]), total[t]);
    }
}

/* T tokens and P parts of a group: both where their sums fit the registers, so that a block is used up while it is in the first cache. */
INLINE void quant_tile(const int T, const int P, const int form, const uint8_t *w, const struct quant *a, long t0, long row, long part) {
    const long blocks = a->k / 32, together = has_scales(form) ? 8 : 1, side = 2 * LANES; /* bytes of a part in halves and pairs */
    const long at = (has_scales(form) ? PAIRS_AT + 8 * 32 : has_minima(form) ? 64 : 32) + part * side;
    row += part * LANES;
    w += part * side; /* to the halves and pairs of this part; `at` goes on from here to its quants */
    vf total[8];
    EACH(i, T * P) total[i] = zero();
    for (long b = 0; b < blocks; b += together, w += together * block_bytes(form)) {
        if (together == 1) EACH(p, P) quant_block(T, form, w + p * side, at + p * side, 0, a, t0, b, total + p * T);
        else
            for (long i = 0; i < together; i++)
                EACH(p, P) quant_block(T, form, w + p * side, at + p * side, i, a, t0, b + i, total + p * T);
    }
    EACH(p, P) EACH(t, T) store(a->y + (t0 + t) * a->n + row + p * LANES, total[p * T + t], a->n - row - p * LANES);
}

INLINE void quant_groups(const int form, const uint8_t *w, const struct quant *a, long tokens, long g0, long g1) {
    for (long from = 0; from < tokens; from += 64) { /* these tokens stay in the first cache while the groups pass */
        const long to = from + 64 < tokens ? from + 64 : tokens;
        for (long g = g0; g < g1; g++) {
            const uint8_t *group = w + g * (a->k / 32) * block_bytes(form);
            if (to - from == 1) quant_tile(1, PARTS, form, group, a, from, g * 16, 0);
            else if (to - from == 2) quant_tile(2, PARTS, form, group, a, from, g * 16, 0);
            else
                for (long part = 0; part < PARTS; part++)
                    for (long t = from; t < to;) {
                        TILE(to - t, of_nibbles(form) ? NIBBLE_TILE : BYTE_TILE, T, quant_tile, 1, form, group, a, t, g * 16, part)
                        t += T;
                    }
        }
    }
}

/* A function for each form: gcc gives registers more carefully where a function has fewer loops. */
#define OF_FORM(form)                                                                              \
    static __attribute__((noinline)) void JOIN(quant, form)(const uint8_t *w, const struct quant *a, \
                                                            long tokens, long g0, long g1) {       \
        quant_groups(form, w, a, tokens, g0, g1);                                                  \
    }
OF_FORM(Q4_0)
OF_FORM(Q4_1)
OF_FORM(Q8_0)
OF_FORM(Q5_1)
OF_FORM(Q4_K)
OF_FORM(Q5_K)
OF_FORM(Q6_K)

/* y[t][16 g0 .. 16 g1) = the rows of those groups times x[t] */
EXPORT(lory_quant)(long form, const uint8_t *w, const int8_t *x, const float *scale, const int32_t *sum,
                   const float *scaled, float *y, long k, long n, long tokens, long g0, long g1) {
    const struct quant a = {x, scale, sum, scaled, y, k, n};
    switch (form) {
        case Q4_0: quant_Q4_0(w, &a, tokens, g0, g1); break;
        case Q4_1: quant_Q4_1(w, &a, tokens, g0, g1); break;
        case Q8_0: quant_Q8_0(w, &a, tokens, g0, g1); break;
        case Q5_1: quant_Q5_1(w, &a, tokens, g0, g1); break;
        case Q4_K: quant_Q4_K(w, &a, tokens, g0, g1); break;
        case Q5_K: quant_Q5_K(w, &a, tokens, g0, g1); break;
        default: quant_Q6_K(w, &a, tokens, g0, g1);
    }
}

/* Products from registers, as fast as there can be any: twelve sums a round, none of which waits for another. */
__attribute__((visibility("default"))) long JOIN(lory_multiply, ISA)(long rounds, int32_t *room) {
    const vi x = bytes(room);
    vi s[12];
    EACH(i, 12) s[i] = sub(x, ints(i)); /* all different, or they would be computed once */
    for (long round = 0; round < rounds; round++) EACH(i, 12) s[i] = dot4(s[i], s[i], x);
    EACH(i, 12) *room ^= _mm_cvtsi128_si32(lowest(s[i]));
    return rounds * 12 * LANES * 4;
}

/* ---- plain numbers: weights in 16 or 32 bits, keys, values and low-rank factors ---- */

/*
 * An element is the sum of its products in the order of k. A tile is T entries times V vectors: as many sums as keep the adders busy, none
 * of which waits for another, with a weight loaded once for all entries and an input once for all vectors.
 */
struct sums { vf of[TILE_SUMS]; };

/* Where weights of some lanes lie. */
struct stream {
    const uint8_t *w;
    long step;  /* bytes from one k to the next */
    long apart; /* bytes from one group of 16 lanes to the next */
    int whole;  /* whether they are read from end to end */
};

INLINE vf element(const int type, const uint8_t *p) {
    return type == F32 ? load((const float *)p) : type == F16 ? half(p) : brain(p);
}

INLINE long dense_bytes(const int type) { return type == F32 ? 64 : 32; }

/* of[t, v] += w[k][lanes of v] * x[t][k] */
INLINE void dense_step(const int type, const int T, const int V, const struct stream *from, const float *const *x, long k, struct sums *s) {
    vf w[4 * PARTS];
    EACH(v, V) w[v] = element(type, from->w + v / PARTS * from->apart + k * from->step + v % PARTS * (dense_bytes(type) / PARTS));
    EACH(t, T) {
        const vf xs = splat(x[t][k]);
        EACH(v, V) s->of[t * V + v] = fma(w[v], xs, s->of[t * V + v]);
    }
}

/* The same for k = 0 .. count - 1 */
INLINE void dense_steps(const int type, const int T, const int V, struct stream from, const float *const *x, long count, struct sums *s) {
    long k = 0;
    if (T == 1 && from.whole)
        for (; k + 2 <= count; k += 2) {
            for (int g = 0; g < V / PARTS; g++)
                for (long line = 0; line < 2 * from.step; line += 64) fetch(from.w + g * from.apart + k * from.step + AHEAD + line);
            EACH(i, 2) dense_step(type, T, V, &from, x, k + i, s);
        }
    for (; k < count; k++) dense_step(type, T, V, &from, x, k, s);
}

INLINE void clear(const int count, struct sums *s) {
    EACH(i, count) s->of[i] = zero();
}

struct dense {
    const float *x;
    const int32_t *x_rows; /* which row of x an entry reads, or null: its own */
    long x_stride;
    float *y;
    const int32_t *y_rows; /* which row of y an entry is added to, or null: its own is overwritten */
    long y_stride;
    const float *factor; /* of each entry, or null */
    long k, n;
};

/* T entries with V vectors, the first of which begins group g0. */
INLINE void dense_tile(const int T, const int type, const int V, const uint8_t *w, const struct dense *a, long e, long g0) {
    const float *x[DENSE_TILE];
    struct sums s;
    const long step = dense_bytes(type), apart = a->k * step;
    const struct stream from = {w + g0 * apart, step, apart, 1};
    EACH(t, T) x[t] = a->x + (a->x_rows ? a->x_rows[e + t] : e + t) * a->x_stride;
    clear(T * V, &s);
    dense_steps(type, T, V, from, x, a->k, &s);
    EACH(t, T)
        EACH(v, V) {
            const long row = g0 * 16 + v * LANES;
            vf sum = s.of[t * V + v];
            if (a->factor) sum = mul(sum, splat(a->factor[e + t]));
            if (a->y_rows) store_sum(a->y + a->y_rows[e + t] * a->y_stride + row, sum, a->n - row);
            else store(a->y + (e + t) * a->y_stride + row, sum, a->n - row);
        }
}

INLINE void dense_tiles(const int type, const int V, const uint8_t *w, const struct dense *a, long entries, long g) {
    for (long e = 0; e < entries;) {
        TILE(entries - e, DENSE_TILE, T, dense_tile, type, V, w, a, e, g)
        e += T;
    }
}

INLINE void dense_groups(const int type, const uint8_t *w, const struct dense *a, long entries, long g0, long g1) {
    long g = g0;
    if (entries == 1) /* more groups at once instead of more entries */
        for (; g + 4 <= g1; g += 4) dense_tile(1, type, 4 * PARTS, w, a, 0, g);
    else if (DENSE_GROUPS > 1)
        for (; g + DENSE_GROUPS <= g1; g += DENSE_GROUPS) dense_tiles(type, DENSE_GROUPS * PARTS, w, a, entries, g);
    for (; g < g1; g++) dense_tiles(type, PARTS, w, a, entries, g);
}

/* y[e][16 g0 .. 16 g1) = factor[e] * (the rows of those groups times x[e]); added where y_rows is given */
EXPORT(lory_dense)(long type, const uint8_t *w, const float *x, const int32_t *x_rows, long x_stride, float *y,
                   const int32_t *y_rows, long y_stride, const float *factor, long k, long n, long entries, long g0,
                   long g1) {
    const struct dense a = {x, x_rows, x_stride, y, y_rows, y_stride, factor, k, n};
    switch (type) {
        case F32: dense_groups(F32, w, &a, entries, g0, g1); break;
        case F16: dense_groups(F16, w, &a, entries, g0, g1); break;
        default: dense_groups(BF16, w, &a, entries, g0, g1);
    }
}

/* ---- attention over a paged cache ---- */

struct attention {
    const float *q; /* [rows][stride] */
    float *y;
    long stride;
    const int32_t *positions;
    const uint16_t *keys;   /* [block][position / 16][width][16] */
    const uint16_t *values; /* [block][position][width] */
    long width, block_size, dim, group; /* width: all kv heads; group: query heads to one of them */
    float scale, soft_cap; /* 0: scores stay as they are */
    long window;
    const int32_t *table;
    float *scores; /* [DENSE_TILE][score_stride] */
    long score_stride;
};

/* e^x for x <= 0 */
INLINE vf exp_below_zero(vf x) {
    x = vmax(x, splat(-87.0f));
    vf n = round_even(mul(x, splat(1.44269504f)));
    vf r = fma(n, splat(-0.693145752f), x);
    r = fma(n, splat(-1.42860677e-6f), r);
    vf p = splat(1.0f / 720);
    p = fma(p, r, splat(1.0f / 120));
    p = fma(p, r, splat(1.0f / 24));
    p = fma(p, r, splat(1.0f / 6));
    p = fma(p, r, splat(0.5f));
    p = fma(p, r, splat(1.0f));
    p = fma(p, r, splat(1.0f));
    return mul(p, exponent(n));
}

INLINE float widest(vf v) {
    float lanes[LANES], m;
    store(lanes, v, LANES);
    m = lanes[0];
    for (int i = 1; i < LANES; i++) m = lanes[i] > m ? lanes[i] : m;
    return m;
}

INLINE float across(vf v) {
    float lanes[LANES], m = 0;
    store(lanes, v, LANES);
    for (int i = 0; i < LANES; i++) m += lanes[i];
    return m;
}

/* Near 0 a polynomial (Cephes' tanhf), because 1 - e^(-2x) has few digits there. */
INLINE vf hyperbolic_tangent(vf x) {
    vf a = size(x), z = mul(x, x), e = exp_below_zero(mul(a, splat(-2.0f)));
    vf p = splat(-5.70498872745e-3f);
    p = fma(p, z, splat(2.06390887954e-2f));
    p = fma(p, z, splat(-5.37397155531e-2f));
    p = fma(p, z, splat(1.33314422036e-1f));
    p = fma(p, z, splat(-3.33332819422e-1f));
    vf far = over(fma(e, splat(-1.0f), splat(1.0f)), add(e, splat(1.0f)));
    return signed_as(pick_below(a, splat(0.625f), fma(mul(p, z), a, a), far), x);
}

INLINE void fill(float *s, long from, long to, float value) {
    for (long p = from; p < to; p++) s[p] = value;
}

INLINE long window_start(const struct attention *a, long context) { return context > a->window ? context - a->window : 0; }

/*
 * Scores to weights e^(s - max) for the positions of the window, zero for the others of begin .. padded - 1; returns 1 / their sum.
 * Lanes are counted from the 16 positions that the window starts in, so that the sum is the same wherever the tile begins.
 */
INLINE float softmax(const struct attention *a, float *s, long begin, long context, long padded) {
    const long from = window_start(a, context), aligned = from / 16 * 16;
    const long end = (context + LANES - 1) / LANES * LANES;
    vf m = splat(-1.0f / 0.0f), sum = zero();
    if (a->soft_cap > 0)
        for (long p = aligned; p < end; p += LANES)
            store(s + p, mul(hyperbolic_tangent(over(load(s + p), splat(a->soft_cap))), splat(a->soft_cap)), LANES);
    fill(s, aligned, from, -1.0f / 0.0f);
    fill(s, context, padded, -1.0f / 0.0f);
    for (long p = aligned; p < end; p += LANES) m = vmax(m, load(s + p));
    const vf top = splat(-widest(m));
    for (long p = aligned; p < end; p += LANES) {
        vf e = exp_below_zero(add(load(s + p), top));
        store(s + p, e, LANES);
        sum = add(sum, e);
    }
    fill(s, begin, from, 0);
    fill(s, context, padded, 0);
    return 1 / across(sum);
}

/* T (row, head) pairs from the `first` of the pairs of rows row0.. and the heads of one kv head */
INLINE void attention_tile(const int T, const struct attention *a, long kv_head, long row0, long first) {
    const float *x[DENSE_TILE];
    float *out[DENSE_TILE], inverse[DENSE_TILE];
    long context[DENSE_TILE], longest = 0, begin = INT64_MAX;
    struct sums s;
    EACH(t, T) {
        long row = row0 + (first + t) / a->group, head = kv_head * a->group + (first + t) % a->group;
        x[t] = a->q + row * a->stride + head * a->dim;
        out[t] = a->y + row * a->stride + head * a->dim;
        context[t] = a->positions[row] + 1;
        longest = context[t] > longest ? context[t] : longest;
        begin = window_start(a, context[t]) < begin ? window_start(a, context[t]) : begin;
    }
    const long first_block = begin / a->block_size;
    begin = first_block * a->block_size;
    const long chunks = (a->block_size + 15) / 16, wide = (a->dim + 15) / 16;
    for (long p0 = begin, b = first_block; p0 < longest; p0 += a->block_size, b++)
        for (long c = 0; c < chunks && p0 + c * 16 < longest; c++)
            {
                const uint16_t *w = a->keys + ((a->table[b] * chunks + c) * a->width + kv_head * a->dim) * 16;
                clear(T * PARTS, &s);
                const struct stream from = {(const uint8_t *)w, 32, 0, 0};
                dense_steps(F16, T, PARTS, from, x, a->dim, &s);
                EACH(t, T)
                    EACH(v, PARTS)
                        store(a->scores + t * a->score_stride + p0 + c * 16 + v * LANES, mul(s.of[t * PARTS + v], splat(a->scale)), a->block_size - c * 16 - v * LANES);
            }
    const long padded = (longest + 15) / 16 * 16;
    EACH(t, T) inverse[t] = softmax(a, a->scores + t * a->score_stride, begin, context[t], padded);
    for (long d = 0; d < wide; d++) {
            clear(T * PARTS, &s);
            for (long p0 = begin, b = first_block; p0 < longest; p0 += a->block_size, b++) {
                const uint16_t *w = a->values + a->table[b] * a->block_size * a->width + kv_head * a->dim + d * 16;
                const float *weights[DENSE_TILE];
                EACH(t, T) weights[t] = a->scores + t * a->score_stride + p0;
                long count = longest - p0 < a->block_size ? longest - p0 : a->block_size;
                const struct stream from = {(const uint8_t *)w, 2 * a->width, 0, 0};
                dense_steps(F16, T, PARTS, from, weights, count, &s);
            }
            EACH(t, T)
                EACH(v, PARTS) {
                    const long col = d * 16 + v * LANES;
                    store(out[t] + col, mul(s.of[t * PARTS + v], splat(inverse[t])), a->dim - col);
                }
        }
}

/* Rows row0 .. row1 - 1 of one sequence, the query heads of one kv head. */
EXPORT(lory_attention)(const float *q, float *y, long stride, const int32_t *positions, const uint16_t *keys,
                       const uint16_t *values, long width, long block_size, long dim, long group, float scale,
                       float soft_cap, long window, const int32_t *table, float *scores, long score_stride, long kv_head, long row0,
                       long row1) {
    const struct attention a = {q, y, stride, positions, keys, values, width, block_size, dim, group, scale,
                                soft_cap, window, table, scores, score_stride};
    const long pairs = (row1 - row0) * group;
    for (long first = 0; first < pairs;) {
        TILE(pairs - first, DENSE_TILE, T, attention_tile, &a, kv_head, row0, first)
        first += T;
    }
}
