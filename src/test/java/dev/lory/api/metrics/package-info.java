/** Tests of the metrics, and a reader for them that is stricter than any. */
@NullMarked
package dev.lory.api.metrics;

import org.jspecify.annotations.NullMarked;
