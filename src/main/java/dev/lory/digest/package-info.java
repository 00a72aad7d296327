/** SHA-256: how content is recognised again. */
@NullMarked
package dev.lory.digest;

import org.jspecify.annotations.NullMarked;
