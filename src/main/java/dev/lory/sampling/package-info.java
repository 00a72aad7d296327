/** From one row of logits to one token: penalties, filters, the seeded draw, log-probabilities. */
@NullMarked
package dev.lory.sampling;

import org.jspecify.annotations.NullMarked;
