/*
 * The operations on vectors that the kernels are written in, for AVX-512 with VNNI or for AVX2: one vector has LANES of the 16 rows of a group.
 */
#include <immintrin.h>
#include <stdint.h>

#define INLINE static inline __attribute__((always_inline))

#ifdef __AVX512VNNI__
#define LANES 16
#define NIBBLE_TILE 8
#define BYTE_TILE 8
#define DENSE_GROUPS 4
typedef __m512 vf;
typedef __m512i vi;
INLINE vf zero(void) { return _mm512_setzero_ps(); }
INLINE vf splat(float v) { return _mm512_set1_ps(v); }
INLINE vf load(const float *p) { return _mm512_loadu_ps(p); }
INLINE vf fma(vf a, vf b, vf c) { return _mm512_fmadd_ps(a, b, c); }
INLINE vf mul(vf a, vf b) { return _mm512_mul_ps(a, b); }
INLINE vf add(vf a, vf b) { return _mm512_add_ps(a, b); }
INLINE vf vmax(vf a, vf b) { return _mm512_max_ps(a, b); }
INLINE vf over(vf a, vf b) { return _mm512_div_ps(a, b); }
INLINE vf size(vf a) { return _mm512_abs_ps(a); }
INLINE vf signed_as(vf a, vf s) { return _mm512_castsi512_ps(_mm512_or_si512(_mm512_castps_si512(a), _mm512_and_si512(_mm512_castps_si512(s), _mm512_set1_epi32(INT32_MIN)))); }
INLINE vf pick_below(vf a, vf limit, vf yes, vf no) { return _mm512_mask_blend_ps(_mm512_cmp_ps_mask(a, limit, _CMP_LT_OQ), no, yes); }
INLINE vf round_even(vf a) { return _mm512_roundscale_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
INLINE vf exponent(vf n) { return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_add_epi32(_mm512_cvtps_epi32(n), _mm512_set1_epi32(127)), 23)); }
INLINE vf half(const void *p) { return _mm512_cvtph_ps(_mm256_loadu_si256(p)); }
INLINE vf brain(const void *p) { return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm256_loadu_si256(p)), 16)); }
INLINE vf to_float(vi a) { return _mm512_cvtepi32_ps(a); }
INLINE vi ints(int32_t v) { return _mm512_set1_epi32(v); }
INLINE __m128i lowest(vi a) { return _mm512_castsi512_si128(a); }
INLINE vi bytes(const void *p) { return _mm512_loadu_si512(p); }
INLINE vi low(vi q) { return _mm512_and_si512(q, _mm512_set1_epi8(15)); }
INLINE vi high(vi q) { return _mm512_and_si512(_mm512_srli_epi16(q, 4), _mm512_set1_epi8(15)); }
INLINE vi sub(vi a, vi b) { return _mm512_sub_epi32(a, b); }
INLINE vi dot8(vi sum, vi u, vi x) { return _mm512_dpbusd_epi32(sum, u, x); }
INLINE vi dot6(vi sum, vi u, vi x) { return dot8(sum, u, x); }
INLINE vi dot4(vi sum, vi u, vi x) { return dot8(sum, u, x); }
INLINE vi wide(vi sum) { return sum; }
#define BIAS8 128
#define SHORT_LINES 8
INLINE vi byte_pairs(const void *p) { return _mm512_cvtepi16_epi32(_mm256_loadu_si256(p)); }
INLINE vi low_byte(vi pair) { return _mm512_srai_epi32(_mm512_slli_epi32(pair, 24), 24); }
INLINE vi high_byte(vi pair) { return _mm512_srai_epi32(pair, 8); }
typedef vf scales;
INLINE scales to_scales(vi v) { return to_float(v); }
INLINE vf scaled(vi sum, scales s) { return mul(to_float(sum), s); }
INLINE void store(float *p, vf v, long n) {
    if (n >= LANES) _mm512_storeu_ps(p, v);
    else _mm512_mask_storeu_ps(p, (__mmask16)((1u << n) - 1), v);
}
INLINE void store_sum(float *p, vf v, long n) {
    if (n >= LANES) _mm512_storeu_ps(p, add(_mm512_loadu_ps(p), v));
    else { __mmask16 m = (__mmask16)((1u << n) - 1); _mm512_mask_storeu_ps(p, m, add(_mm512_maskz_loadu_ps(m, p), v)); }
}
#else
#define LANES 8
#define NIBBLE_TILE 6
#define BYTE_TILE 4
#define DENSE_GROUPS 1
typedef __m256 vf;
typedef __m256i vi;
INLINE vf zero(void) { return _mm256_setzero_ps(); }
INLINE vf splat(float v) { return _mm256_set1_ps(v); }
INLINE vf load(const float *p) { return _mm256_loadu_ps(p); }
INLINE vf fma(vf a, vf b, vf c) { return _mm256_fmadd_ps(a, b, c); }
INLINE vf mul(vf a, vf b) { return _mm256_mul_ps(a, b); }
INLINE vf add(vf a, vf b) { return _mm256_add_ps(a, b); }
INLINE vf vmax(vf a, vf b) { return _mm256_max_ps(a, b); }
INLINE vf over(vf a, vf b) { return _mm256_div_ps(a, b); }
INLINE vf size(vf a) { return _mm256_andnot_ps(_mm256_set1_ps(-0.0f), a); }
INLINE vf signed_as(vf a, vf s) { return _mm256_or_ps(a, _mm256_and_ps(_mm256_set1_ps(-0.0f), s)); }
INLINE vf pick_below(vf a, vf limit, vf yes, vf no) { return _mm256_blendv_ps(no, yes, _mm256_cmp_ps(a, limit, _CMP_LT_OQ)); }
INLINE vf round_even(vf a) { return _mm256_round_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
INLINE vf exponent(vf n) { return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_add_epi32(_mm256_cvtps_epi32(n), _mm256_set1_epi32(127)), 23)); }
INLINE vf half(const void *p) { return _mm256_cvtph_ps(_mm_loadu_si128(p)); }
INLINE vf brain(const void *p) { return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(_mm_loadu_si128(p)), 16)); }
INLINE vf to_float(vi a) { return _mm256_cvtepi32_ps(a); }
INLINE vi ints(int32_t v) { return _mm256_set1_epi32(v); }
INLINE __m128i lowest(vi a) { return _mm256_castsi256_si128(a); }
INLINE vi bytes(const void *p) { return _mm256_loadu_si256(p); }
INLINE vi low(vi q) { return _mm256_and_si256(q, _mm256_set1_epi8(15)); }
INLINE vi high(vi q) { return _mm256_and_si256(_mm256_srli_epi16(q, 4), _mm256_set1_epi8(15)); }
INLINE vi sub(vi a, vi b) { return _mm256_sub_epi32(a, b); }
INLINE vi widen(vi pairs) { return _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)); }
/* Sixteen products with nibbles fit 16 bits, and eight with five bits: SHORT_LINES lines. So sums of pairs are widened at their end. */
INLINE vi dot4(vi sum, vi u, vi x) { return _mm256_add_epi16(sum, _mm256_maddubs_epi16(u, x)); }
INLINE vi wide(vi sum) { return widen(sum); }
#define SHORT_LINES 4
/* 255 * 127 * 2 does not fit 16 bits: take the bias off and move the sign of the weight to x. */
INLINE vi dot8(vi sum, vi u, vi x) {
    vi w = _mm256_xor_si256(u, _mm256_set1_epi8((char)0x80));
    return _mm256_add_epi32(sum, widen(_mm256_maddubs_epi16(_mm256_abs_epi8(w), _mm256_sign_epi8(x, w))));
}
/* Eight products with six bits and a sign fit 16 bits. */
INLINE vi dot6(vi sum, vi u, vi x) {
    vi w = _mm256_xor_si256(u, _mm256_set1_epi8((char)0x80));
    return _mm256_add_epi16(sum, _mm256_maddubs_epi16(_mm256_abs_epi8(w), _mm256_sign_epi8(x, w)));
}
#define BIAS8 0
INLINE vi byte_pairs(const void *p) { return _mm256_cvtepi16_epi32(_mm_loadu_si128(p)); }
INLINE vi low_byte(vi pair) { return _mm256_srai_epi32(_mm256_slli_epi32(pair, 24), 24); }
INLINE vi high_byte(vi pair) { return _mm256_srai_epi32(pair, 8); }
/* Each scale twice in 16 bits: multiplying with it is the widening. */
typedef vi scales;
INLINE scales to_scales(vi v) { return _mm256_or_si256(_mm256_slli_epi32(v, 16), _mm256_and_si256(v, _mm256_set1_epi32(0xffff))); }
INLINE vf scaled(vi sum, scales s) { return to_float(_mm256_madd_epi16(sum, s)); }
INLINE vi lanes_below(long n) { return _mm256_cmpgt_epi32(_mm256_set1_epi32((int)n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7)); }
INLINE void store(float *p, vf v, long n) {
    if (n >= LANES) _mm256_storeu_ps(p, v);
    else if (n > 0) _mm256_maskstore_ps(p, lanes_below(n), v);
}
INLINE void store_sum(float *p, vf v, long n) {
    if (n >= LANES) _mm256_storeu_ps(p, add(_mm256_loadu_ps(p), v));
    else if (n > 0) { vi m = lanes_below(n); _mm256_maskstore_ps(p, m, add(_mm256_maskload_ps(p, m), v)); }
}
#endif
#define PARTS (16 / LANES)
