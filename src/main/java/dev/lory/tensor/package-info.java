/** Matrices of any storage type: what a weight, an activation or an adapter factor is made of. */
@NullMarked
package dev.lory.tensor;

import org.jspecify.annotations.NullMarked;
