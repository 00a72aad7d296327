/** What other servers of adapters speak: the same registry and the same engine, in their words. */
@NullMarked
package dev.lory.api.dialect;

import org.jspecify.annotations.NullMarked;
