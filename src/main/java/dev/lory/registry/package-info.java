/** What is wanted and by whom: orderings, adapters and activations in PostgreSQL, and the reconciler that makes the worker follow. */
@NullMarked
package dev.lory.registry;

import org.jspecify.annotations.NullMarked;
