/** One spec for each architecture, and the list of them. */
@NullMarked
package dev.lory.model.arch;

import org.jspecify.annotations.NullMarked;
