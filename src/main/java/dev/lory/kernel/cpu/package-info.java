/** The backend for the CPU: weights in groups of 16 rows, Vector API kernels, and native ones where they could be built. */
@NullMarked
package dev.lory.kernel.cpu;

import org.jspecify.annotations.NullMarked;
