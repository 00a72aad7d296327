/** What the service counts and measures, as Prometheus reads it. */
@NullMarked
package dev.lory.api.metrics;

import org.jspecify.annotations.NullMarked;
