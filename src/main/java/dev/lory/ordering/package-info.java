/** The ordering file: which adapters there are, where they come from, and how X-LoRA numbers the linears. */
@NullMarked
package dev.lory.ordering;

import org.jspecify.annotations.NullMarked;
