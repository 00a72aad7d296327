/** Tests of limits and of the ledger. */
@NullMarked
package dev.lory.api.quota;

import org.jspecify.annotations.NullMarked;
