/** Conformance with what other servers of adapters speak. */
@NullMarked
package dev.lory.api.dialect;

import org.jspecify.annotations.NullMarked;
